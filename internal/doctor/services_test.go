// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"aadlogin/internal/config"
)

// pamFiles returns a machine with these files, by their paths below /.
func pamFiles(files map[string]string) System {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return System{Files: tree}
}

const asksOurs = "auth [success=done default=die] /usr/lib64/security/pam_aad.so debug\n"

var someServices = map[string]string{
	"etc/pam.d/common-auth":     asksOurs,
	"etc/pam.d/common-auth-pc":  asksOurs,
	"etc/pam.d/system-auth":     asksOurs,
	"etc/pam.d/company":         asksOurs,
	"etc/pam.d/sshd":            "@include common-auth\n",
	"etc/pam.d/su":              "auth sufficient pam_rootok.so\nauth substack system-auth\n",
	"etc/pam.d/su-l":            "auth include su\n",
	"etc/pam.d/sudo":            asksOurs,
	"etc/pam.d/dovecot":         "@include common-auth\n",
	"etc/pam.d/vpn":             "auth include company\n",
	"etc/pam.d/cron":            "account required pam_aad.so\n",
	"etc/pam.d/commented":       "#" + asksOurs,
	"etc/pam.d/ftp":             "auth required pam_unix.so\n",
	"etc/pam.d/vpn.dpkg-old":    asksOurs,
	"etc/pam.d/vpn~":            asksOurs,
	"etc/pam.d/other":           "@include common-auth\n",
	"usr/lib/pam.d/cockpit":     "auth include system-auth\n",
	"usr/lib/pam.d/dovecot":     asksOurs, // the one in /etc counts
	"usr/etc/pam.d/distributed": "auth include company\n",
}

func TestServices(t *testing.T) {
	for name, test := range map[string]struct {
		listed []string
		want   []string
	}{
		"usual": {[]string{"sshd", "sudo", "su", "su-l", "cockpit"}, []string{
			"ok people are asked to sign in by cockpit, sshd, su, su-l, sudo; an account of ours " +
				"is refused at once in company, distributed, dovecot, vpn",
			"warning /etc/pam.d/company names | aadctl config add-service company",
			"warning /etc/pam.d/distributed names | aadctl config add-service distributed",
			"warning /etc/pam.d/vpn names | aadctl config add-service vpn",
		}},
		"without sshd": {[]string{"company", "distributed", "vpn", "sudo"}, []string{
			"ok people are asked to sign in by company, distributed, sudo, vpn; an account of " +
				"ours is refused at once in cockpit, dovecot, sshd, su, su-l",
			"warning sign_in.services does not list sshd | aadctl config add-service sshd",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := Host{System: pamFiles(someServices),
				Config: &config.Config{SignIn: config.SignIn{Services: test.listed}}}
			findings := h.services(t.Context())
			if len(findings) != len(test.want) {
				t.Fatalf("%d findings: %+v", len(findings), findings)
			}
			for i, r := range findings {
				begin, command, _ := strings.Cut(test.want[i], " | ")
				if got := string(r.Status) + " " + r.Found; !strings.HasPrefix(got, begin) ||
					r.Command != command {
					t.Errorf("got  %s | %s\nwant %s", got, r.Command, test.want[i])
				}
			}
		})
	}
}

// A service that only includes the shared stacks was not written for our module.
func TestOwnServices(t *testing.T) {
	h := Host{System: pamFiles(someServices)}
	got, want := h.OwnServices(), []string{"company", "distributed", "sudo", "vpn"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	none := Host{System: pamFiles(nil)}
	if got := none.OwnServices(); len(got) != 0 {
		t.Errorf("%q on a machine without PAM", got)
	}
}
