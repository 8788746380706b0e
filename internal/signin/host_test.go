// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
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

// hostSays returns a machine whose host has this title, with these lines in its sshd_config; "-"
// means no file.
func hostSays(t *testing.T, title, lines, sshdConfig string) *machine {
	m := newMachine(t, lines)
	root := fstest.MapFS{
		"bin/bash": {Mode: 0o755}, "bin/plain": {Mode: 0o644}, "bin/dir": {Mode: 0o755 | 1<<31},
	}
	if sshdConfig != "-" {
		root["etc/ssh/sshd_config"] = &fstest.MapFile{Data: []byte(sshdConfig)}
	}
	m.signin.Root, m.signin.HostTitle = root, func() string { return title }
	return m
}

// A person whom sshd has refused already is told so before there is a code, with the reason if it
// is known.
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

// Where sshd decides by a group that the sign-in may add, the person gets a code. If sshd still
// refuses, the person gets a sentence instead of silence.
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

// The host looked the uid up before it asked. The uid is safe if the name never had another one, or
// if nothing has changed.
func TestCurrentHost(t *testing.T) {
	dir := t.TempDir()
	rules := account.Rules{TenantID: "t", Domains: []string{"contoso.example"},
		Low: 100000, High: 200000}
	store := account.Store{Dir: dir}
	first := account.ID(rules.TenantID, user, 0, rules.Low, rules.High)
	if err := os.WriteFile(filepath.Join(dir, "accounts.cdb"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inode, modified := store.Stamp()
	if inode == 0 || modified == 0 {
		t.Fatal("no stamp")
	}
	for _, test := range []struct {
		name     string
		known    bool
		uid      uint32
		inode    uint64
		modified int64
		dir      string
		moved    bool
	}{
		{"unknown to the host", false, 0, 0, 0, dir, false},
		{"first id, nothing changed", true, first, inode, modified, dir, false},
		{"first id, all changed", true, first, 0, 0, dir, false},
		{"another id, nothing changed", true, first + 1, inode, modified, dir, false},
		{"another id, replaced", true, first + 1, inode + 1, modified, dir, true},
		{"another id, changed", true, first + 1, inode, modified + 1, dir, true},
		{"another id, made since", true, first + 1, 0, 0, dir, true},
		{"another id, gone since", true, first + 1, inode, modified, dir + "/none", true},
		{"another id, never a store", true, first + 1, 0, 0, dir + "/none", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &attempt{rules: rules, store: account.Store{Dir: test.dir},
				name: account.Name{Account: user, UPN: user}, cfg: new(config.Config)}
			a.cfg.Accounts.PreAuthServices = []string{"sshd"}
			a.Request = Request{Program: "sshd", KnownToHost: test.known, UID: test.uid,
				StoreInode: test.inode, StoreModified: test.modified}
			err := a.currentHost()
			if (err != nil) != test.moved {
				t.Fatalf("%v, want moved: %v", err, test.moved)
			}
			if err != nil && refused(t, err).verdict != Denied {
				t.Errorf("%v", err)
			}
			a.cfg.Accounts.PreAuthServices = nil // sudo asks the name service when it needs an id
			if err := a.currentHost(); err != nil {
				t.Errorf("a host that takes no ids first: %v", err)
			}
		})
	}
}

func TestHostProgram(t *testing.T) {
	if got, want := hostProgram(), filepath.Base(os.Args[0]); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgram(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/bin/sudo": "sudo", "/usr/lib/cargo/bin/sudo": "sudo-rs",
		"/usr/bin/sudo-rs": "sudo-rs", "/usr/lib/cargo/bin/su": "su",
		"/usr/lib/openssh/sshd-session (deleted)": "sshd-session", "/usr/sbin/sshd": "sshd", "": "",
	} {
		if got := program(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
