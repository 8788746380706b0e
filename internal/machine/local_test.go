// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"strings"
	"testing"
)

const localPassword = "correct horse 1"

// localUser is somebody with a password of this machine and sudo, who has nothing to do with Entra ID.
func localUser(t *testing.T) {
	t.Helper()
	if _, status := command(t, "", "getent", "passwd", "local"); status == 0 {
		return
	}
	must(t, "useradd", "-m", "-s", "/bin/bash", "local")
	if out, status := command(t, "local:"+localPassword+"\n", "chpasswd"); status != 0 {
		t.Fatal(out)
	}
	if err := os.WriteFile("/etc/sudoers.d/local", []byte("local ALL=(ALL) ALL\n"), 0o440); err != nil {
		t.Fatal(err)
	}
}

// A local user's password login and sudo are what they are without the module, whatever state its configuration is in.
func TestLocalUsersAreLeftAlone(t *testing.T) {
	localUser(t)
	for name, change := range map[string]func(string) []byte{
		"good configuration":    func(s string) []byte { return []byte(s) },
		"missing configuration": func(string) []byte { return nil },
		"broken configuration":  func(string) []byte { return []byte("tenant_id = [\n") },
	} {
		t.Run(name, func(t *testing.T) {
			edit(t, configFile, change)
			mark := syslog.mark()
			c := ssh(t, "local", "id -un; sudo -k; sudo id -u")
			c.expect(`local@127\.0\.0\.1\) Password: |local@127\.0\.0\.1's password: `)
			c.typeLine(localPassword)
			c.expect(`\nlocal\n`)
			c.expect(`\[sudo\] password for local: `)
			c.typeLine(localPassword)
			c.expect(`\n0\n`)
			if status, _ := c.end(); status != 0 {
				t.Errorf("exit status %d", status)
			}
			syslog.exactly(t, mark, 0, "")
		})
	}
}

func TestLocalUserWithWrongPassword(t *testing.T) {
	localUser(t)
	c := ssh(t, "local", "id -un")
	c.expect(`[Pp]assword: `)
	c.typeLine("wrong")
	c.expect(`[Pp]assword: `)
	if strings.Contains(c.all(), "\nlocal\n") {
		t.Error("let in with a wrong password")
	}
}

// A name of the store that the machine has by itself is the machine's.
func TestLocalNameWins(t *testing.T) {
	stored(t, "user@contoso.example")
	edit(t, "/etc/passwd", func(s string) []byte { return []byte(s + "user@contoso.example:x:4242:4242::/tmp:/bin/sh\n") })
	before := requests("devicecode")
	c := ssh(t, "user@contoso.example")
	c.expect(`[Pp]assword: `)
	if n := requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes for a local name", n)
	}
	if groups, _ := command(t, "", "id", "user@contoso.example"); !strings.Contains(groups, "uid=4242") || strings.Contains(groups, "aad_users") {
		t.Errorf("a local account has our groups: %s", groups)
	}
}

// With a broken configuration an account of ours is refused, with the reason in the log: file, line and key.
func TestBrokenConfigurationIsNamed(t *testing.T) {
	stored(t, "user@contoso.example")
	edit(t, configFile, func(s string) []byte { return []byte(s + "\n[sign_in]\ntimeout = \"soon\"\n") })
	mark := syslog.mark()
	c := ssh(t, "user@contoso.example")
	c.expect(`Tell the administrator of this machine: sign-in is not configured correctly`)
	lines(t, mark)
	if got := syslog.find(mark, `failed reason="configuration-error" .*config\.toml:\d+: sign_in\.timeout: `); len(got) == 0 {
		t.Errorf("log: %q", syslog.find(mark, ""))
	}
}
