// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configured adds keys to a section of the configuration for the length of a test.
func configured(t *testing.T, section, keys string) {
	t.Helper()
	edit(t, configFile, func(text string) []byte { return []byte(text + "\n[" + section + "]\n" + keys + "\n") })
	if out, status := command(t, "", "aadctl", "config", "check"); status != 0 {
		t.Fatalf("%s %s: %s", section, keys, out)
	}
}

// Whoever is asked, the same people come in, as the same.
func TestEverySource(t *testing.T) {
	for _, source := range []string{"check-access", "role-assignments", "permissions", "app-roles"} {
		t.Run(source, func(t *testing.T) {
			configured(t, "authorization", `source = "`+source+`"`)
			mark := syslog.mark()
			at := map[string]*terminal{} // side by side
			for _, name := range []string{"admin", "user", "norole"} {
				at[name] = ssh(t, name+"@contoso.example", "id -Gn")
			}
			for name, c := range at {
				c.signIn(name + "@contoso.example")
			}
			at["admin"].expect(`admin@contoso\.example aad_users aad_admins\n`)
			at["user"].expect(`user@contoso\.example aad_users\n`)
			at["norole"].expect(`Access denied:  to sign-in you be assigned`)
			if status, _ := at["norole"].end(); status != 255 {
				t.Errorf("denied, and exit status %d", status)
			}
			for _, line := range []string{
				`signed-in .*account="admin@contoso.example".* source="` + source + `" decision="administrator"`,
				`signed-in .*account="user@contoso.example".* source="` + source + `" decision="user"`,
				`denied .*account="norole@contoso.example".* source="` + source + `".* fix="`,
			} {
				syslog.exactly(t, mark, 1, line)
			}
		})
	}
}

// A public key brings nobody whom a source could ask, or whose token could say. The last sign-in with a browser stands in.
func TestKeyWithSourceThatCannotAsk(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	c := ssh(t, "user@contoso.example", "mkdir -p .ssh && echo '"+strings.TrimSpace(string(public))+"' > .ssh/authorized_keys && echo written")
	c.signIn("user@contoso.example")
	c.expect(`written\n`)
	c.end()
	withKey := func() *terminal {
		return open(t, "ssh", "-p", sshPort, "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
			"-o", "PreferredAuthentications=publickey", "-i", key, "user@contoso.example@127.0.0.1", "id -un")
	}

	configured(t, "authorization", "source = \"app-roles\"\ngrant_lifetime = \"1h\"")
	c = withKey()
	c.expect(`can only be asked with a browser`) // the last grant is by another source
	if status, _ := c.end(); status == 0 {
		t.Error("let in by a grant of another source")
	}
	c = ssh(t, "user@contoso.example", "id -un")
	c.signIn("user@contoso.example")
	c.expect(`\nuser@contoso\.example\n`)
	c.end()
	before := len(entra.Requests())
	c = withKey()
	c.expect(`user@contoso\.example\n`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if n := len(entra.Requests()) - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}
