// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// hadStore matches what aadctl check says about the first account whose home it finds. Other tests
// leave some.
var hadStore = regexp.MustCompile(`there is no store, and there was one, for \S+@contoso\.example has a home`)

// On some machines /var comes late, after sshd and the first name lookups. Once it is there,
// nothing has to be restarted. Files that are cleaned away below /run and /var/cache come back by
// themselves.
func TestVarMountedLate(t *testing.T) {
	const user = "user@contoso.example"
	signIn := func(t *testing.T) string {
		c := rig.SSH(t, user, "id -u")
		c.SignIn(user)
		uid := c.Expect(`\n(\d+)\n`)[1]
		c.EndsWell()
		return uid
	}
	uid := signIn(t)

	t.Run("not yet", func(t *testing.T) {
		rig.Must(t, "mount", "-t", "tmpfs", "-o", "mode=0755", "late", "/var/lib/aad-login")
		t.Cleanup(func() { rig.Must(t, "umount", "/var/lib/aad-login") })
		if out, status := rig.Command(t, "", "getent", "passwd", user); status != 2 {
			t.Errorf("getent: exit status %d: %s", status, out)
		}
		rig.Must(t, "getent", "passwd", "root")
		c := rig.Open(t, "ssh", rig.SSHArgs("-tt", "-o", "NumberOfPasswordPrompts=0",
			user+"@127.0.0.1", "echo in")...)
		if status, said := c.End(); status != 255 || strings.Contains(said, "To sign in") {
			t.Errorf("exit status %d, said %q", status, said)
		}
		out, status := rig.Command(t, "", "aadctl", "check", "--offline", "--json")
		if status == 0 || !hadStore.MatchString(out) {
			t.Errorf("aadctl check: exit status %d: %s", status, out)
		}
	})
	if after := signIn(t); after != uid {
		t.Errorf("the uid was %s, and is %s", uid, after)
	}

	rig.Must(t, "rm", "-rf", "/run/aad-login", "/var/cache/aad-login")
	rig.Edit(t, rig.ConfigFile, func(text string) []byte {
		return []byte(text + "\n[sign_in]\nreuse_window = \"1h\"\n")
	})
	if after := signIn(t); after != uid {
		t.Errorf("the uid was %s, and is %s", uid, after)
	}
	modes := rig.Must(t, "stat", "-c", "%U %a", "/run/aad-login", "/var/cache/aad-login")
	if modes != "root 700\nroot 700\n" {
		t.Errorf("what was cleaned away is %q", modes)
	}
}
