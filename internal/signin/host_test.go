// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestDecisionIn(t *testing.T) {
	for _, test := range []struct {
		title, name string
		want        hostDecision
	}{
		{"sshd: user@contoso.example [pam]\x00", user, hostAdmits},
		{"sshd: unknown [pam]\x00\x00\x00", user, hostRefuses},
		{"sshd-session: unknown [pam]", user, hostRefuses},
		{"sshd: unknown [priv]", user, hostRefuses}, // method password
		{"sshd: unknown [net]", user, undecided},
		{"sshd: unknown", user, undecided},
		{"sshd: unknown [pam]", "unknown", undecided}, // a short name
		{"sshd: admin@contoso.example [pam]", user, undecided},
		{"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", user, undecided},
		{"login: unknown [pam]", user, undecided},
		{"sshd\x00-i\x00", user, undecided},
		{"", user, undecided},
	} {
		if got := decisionIn(test.title, test.name); got != test.want {
			t.Errorf("%q, %s: %d, want %d", test.title, test.name, got, test.want)
		}
	}
}

const (
	titleAdmits  = "sshd: " + user + " [pam]"
	titleRefuses = "sshd: unknown [pam]"
)

// hostSays makes a machine whose host has this title, with these lines in its sshd_config; "-" is
// no file.
func hostSays(t *testing.T, title, lines, sshdConfig string) *machine {
	m := newMachine(t, lines)
	root := fstest.MapFS{"bin/bash": {Mode: 0o755}, "bin/plain": {Mode: 0o644},
		"bin/dir": {Mode: 0o755 | 1<<31}}
	if sshdConfig != "-" {
		root["etc/ssh/sshd_config"] = &fstest.MapFile{Data: []byte(sshdConfig)}
	}
	m.signin.Root, m.signin.HostTitle = root, func() string { return title }
	return m
}

// Whom sshd has refused already hears so before there is a code, and why if that is known.
func TestHostHasDecided(t *testing.T) {
	t.Parallel()
	const zsh = `accounts.shell = "/bin/zsh"`
	for _, test := range []struct {
		name, title, lines, sshd string
		service                  string
		stored                   string // shell
		want                     Verdict
		told, logged             string
	}{
		{"admitted", titleAdmits, "", "", "", "", Success, "", "signed-in"},
		{"no shell, first sign-in", titleRefuses, zsh, "", "", "", Misconfigured,
			"login shell of this account, /bin/zsh, does not exist",
			`failed reason="no-shell"`},
		{"no shell, stored account", titleRefuses, "", "", "", "/bin/fish", Misconfigured,
			"/bin/fish, does not exist", `shell="/bin/fish"`},
		{"not executable", titleRefuses, "", "", "", "/bin/plain", Misconfigured,
			"/bin/plain, is not executable", "no-shell"},
		{"a directory", titleRefuses, "", "", "", "/bin/dir", Misconfigured,
			"/bin/dir, is not a regular file", "no-shell"},
		{"stored before accounts.shell was wrong", titleAdmits, zsh, "", "", "/bin/bash",
			Success, "", "signed-in"},
		{"no shell, but a chroot", titleAdmits, zsh, "", "", "", Success, "", "signed-in"},
		{"no shell, and sshd does not say", "sshd: x", zsh, "", "", "", Success, "", "signed-in"},
		{"no shell, login", "login", zsh, "", "login", "", Misconfigured,
			"login shell", "no-shell"},
		{"no shell, sudo", "sudo", zsh, "", "sudo", "", Success, "", "signed-in"},
		{"refused", titleRefuses, "", "DenyUsers *\n", "", "", Denied,
			"The settings of sshd on this machine keep user@contoso.example out",
			`denied reason="refused-by-sshd"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := hostSays(t, test.title, test.lines, test.sshd)
			if test.stored != "" {
				a := m.person(user, userOID)
				a.Shell = test.stored
				m.put(a)
			}
			req := m.request(user)
			if test.service != "" {
				req.Service = test.service
			}
			got, conv := m.signIn(req, user)
			ended(t, got, conv, test.want, test.told, test.logged)
			if n := m.requests(""); test.want != Success && (n != 0 || conv.prompts != nil) {
				t.Errorf("%d requests, prompts %q", n, conv.prompts)
			}
		})
	}
}

// Where sshd goes by a group that the sign-in may give, the person gets their code, and then a
// sentence in the place of silence.
func TestHostGoesByGroups(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, lines, sshd string }{
		{"administrators", "", "AllowGroups root aad_admins\n"},
		{"a mapped group", `accounts.groups."` + devsID + `" = "devs"`,
			"Match Group devs\n\tAllowUsers *\n"},
		{"cannot be read", "", "-"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := hostSays(t, titleRefuses, test.lines, test.sshd)
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, Denied, "The settings of sshd on this machine keep",
				"refused-by-sshd")
			if len(conv.prompts) != 1 || m.stored(user).ObjectID != userOID {
				t.Errorf("prompts %q, stored %+v", conv.prompts, m.stored(user))
			}
			if strings.Contains(strings.Join(conv.logged, "\n"), "signed-in") {
				t.Errorf("%q", conv.logged)
			}
		})
	}
}
