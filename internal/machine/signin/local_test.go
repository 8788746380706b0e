// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// A local user's password login and sudo work as without the module, whatever state its
// configuration is in.
func TestLocalUsersAreLeftAlone(t *testing.T) {
	rig.LocalUser(t)
	for name, change := range map[string]func(string) []byte{
		"good configuration":    func(s string) []byte { return []byte(s) },
		"missing configuration": func(string) []byte { return nil },
		"broken configuration":  func(string) []byte { return []byte("tenant_id = [\n") },
	} {
		t.Run(name, func(t *testing.T) {
			rig.Edit(t, rig.ConfigFile, change)
			mark := rig.Syslog.Mark()
			c := rig.SSH(t, "local", "id -un; sudo -k; sudo id -u")
			c.Expect(`local@127\.0\.0\.1\) Password: |local@127\.0\.0\.1's password: `)
			c.TypeLine(rig.LocalPassword)
			c.Expect(`\nlocal\n`)
			c.Expect(`\[sudo\] password for local: `)
			c.TypeLine(rig.LocalPassword)
			c.Expect(`\n0\n`)
			if status, _ := c.End(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			rig.Syslog.Exactly(t, mark, 0, "")
		})
	}
}

func TestLocalUserWithWrongPassword(t *testing.T) {
	rig.LocalUser(t)
	c := rig.SSH(t, "local", "id -un")
	c.Expect(`[Pp]assword: `)
	c.TypeLine("wrong")
	c.Expect(`[Pp]assword: `)
	if strings.Contains(c.All(), "\nlocal\n") {
		t.Error("let in with a wrong password")
	}
}

// A name that both the store and the machine have is the machine's.
func TestLocalNameWins(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	rig.Edit(t, "/etc/passwd", func(s string) []byte {
		return []byte(s + "user@contoso.example:x:4242:4242::/tmp:/bin/sh\n")
	})
	before := rig.Requests("devicecode")
	c := rig.SSH(t, "user@contoso.example")
	c.Expect(`[Pp]assword: `)
	if n := rig.Requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes for a local name", n)
	}
	groups, _ := rig.Command(t, "", "id", "user@contoso.example")
	if !strings.Contains(groups, "uid=4242") || strings.Contains(groups, "aad_users") {
		t.Errorf("a local account has our groups: %s", groups)
	}
}

// With a broken configuration an account of ours is refused. The log has the file, line and key.
func TestBrokenConfigurationIsNamed(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return []byte(s + "\n[sign_in]\ntimeout = \"soon\"\n")
	})
	mark := rig.Syslog.Mark()
	c := rig.SSH(t, "user@contoso.example")
	c.Expect(`Tell the administrator of this machine: sign-in is not configured correctly`)
	rig.Lines(t, mark)
	got := rig.Syslog.Find(mark,
		`failed reason="configuration-error" .*config\.toml:\d+: sign_in\.timeout: `)
	if len(got) == 0 {
		t.Errorf("log: %q", rig.Syslog.Find(mark, ""))
	}
}
