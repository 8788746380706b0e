// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// TestEnforcing is Debian 13 with its own policy, which is enforced.
func TestEnforcing(t *testing.T) {
	needGuest(t, "selinux")
	if mode := rig.Must(t, "getenforce"); mode != "Enforcing\n" {
		t.Fatalf("SELinux is %s", mode)
	}
	steps(t, []step{
		{"switched on", switchedOn},
		{"lingering", findLingering},
		{"extension", byExtension},
		{"labels", labelsAreRight},
		{"check", checked},
		{"administrator", func(t *testing.T) {
			inSession(t, rig.Admin)
			labelsAreRight(t)
			rightLabels(t, "/home/"+rig.Admin, "/home/"+rig.Admin+"/.bashrc")
		}},
		{"sudo", sudoByCode},
		{"user", func(t *testing.T) { inSession(t, rig.User) }},
		{"refused", refusedByName},
		{"key", byKey},
		{"cron", byCron},
		{"a store without its label", unlabelledStore},
		{"a store that was put back", restoredStore},
		{"another policy", updatedPolicy},
		{"confined", confined},
		{"names", names},
		{"check again", checked},
		{"denials", func(t *testing.T) {
			for _, line := range denialsOfOurs(t) {
				t.Error(line)
			}
		}},
		{"rules", func(t *testing.T) {
			used := uses(auditLog(t))
			for rule, seen := range listed(t) {
				_, use, _ := strings.Cut(rule, " ")
				if seen && !used[use] {
					t.Errorf("testdata/selinux/rules says that this is used, and it was not: %s",
						rule)
				}
			}
		}},
	})
}

// switchedOn: people had signed in before there was SELinux. The store was immutable when
// everything was labelled, and the boot has labelled it, before sshd.
func switchedOn(t *testing.T) {
	said := rig.Must(t, "journalctl", "--boot", "--quiet", "--output=cat",
		"--unit=aad-login-labels.service")
	if !strings.Contains(said, "Relabeled "+rig.StoreFile+" from ") {
		t.Errorf("the boot said %q", said)
	}
	labelsAreRight(t)
	rightLabels(t, "/home/"+rig.Admin, "/home/"+rig.Admin+"/.bashrc")
	rig.Must(t, "rm", "-rf", "/home/"+rig.User) // to be made again
}

// confined are people whom the policy gives a domain of their own. "semanage login" would write
// that mapping, and restorecon -F then gives the homes to those users of the policy.
func confined(t *testing.T) {
	rig.Edit(t, "/etc/selinux/default/seusers", func(text string) []byte {
		return []byte(text + rig.Admin + ":staff_u:s0-s0:c0.c1023\n" + rig.User + ":user_u:s0\n")
	})
	rig.Must(t, "restorecon", "/etc/selinux/default/seusers")
	rig.Must(t, "chcon", "-R", "-u", "staff_u", "/home/"+rig.Admin)
	rig.Must(t, "chcon", "-R", "-u", "user_u", "/home/"+rig.User)
	if said := inSession(t, rig.User); !strings.Contains(said, "user_u:user_r:user_t") {
		t.Errorf("said %q", said)
	}
	if said := inSession(t, rig.Admin); !strings.Contains(said, "staff_u:staff_r:staff_t") {
		t.Errorf("said %q", said)
	}
	sudoByCode(t)
	c := guestSSH(t, nil, rig.User, "getent passwd "+rig.Admin+"; id "+rig.Admin)
	c.SignIn(rig.User)
	c.Expect(rig.Admin + `:\*:\d+:`)
	c.Expect(`aad_admins`)
	c.EndsWell()
}

// names are answered to root, too.
func names(t *testing.T) {
	if out := rig.Must(t, "getent", "group", "aad_admins"); !strings.Contains(out, rig.Admin) {
		t.Errorf("getent says %q", out)
	}
}

// auditLog is all that there is of it; it begins anew at a size.
func auditLog(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("/var/log/audit/audit.log*")
	if err != nil || files == nil {
		t.Fatal(files, err)
	}
	var log strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		log.Write(text)
	}
	return log.String()
}

// denialsOfOurs are those of the audit log that have to do with us, but for what a step has made on
// purpose, and what sshd is denied without us.
func denialsOfOurs(t *testing.T) []string {
	t.Helper()
	return unwanted(auditLog(t),
		`avc: +denied.*(aad_login_|accounts\.cdb|comm="(sshd|sshd-session|login|sudo|mkhomedir_helpe|systemd-user-ru|cron|aadctl)")`,
		map[string]string{
			`tcontext=\S*:var_lib_t:\S* tclass=file`:   "the step with a store without its label",
			`tcontext=\S*:unlabeled_t:\S* tclass=file`: "the bus, before this boot has labelled the store",
			`comm="restorecon"`:                        "that step",
			`name="wtmp\.db"`:                          "Debian's policy knows no wtmp.db yet",
			`tclass=key `:                              "pam_keyinit.so, of whoever lingers",
			`tcontext=\S*:semanage_store_t:`:           "the policy's own tools, of our rules",
		})
}
