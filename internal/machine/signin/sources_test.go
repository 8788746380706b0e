// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// Each source lets the same people in with the same rights.
func TestEverySource(t *testing.T) {
	for _, source := range []string{
		"check-access", "role-assignments", "permissions", "app-roles",
	} {
		t.Run(source, func(t *testing.T) {
			rig.Configured(t, "authorization", `source = "`+source+`"`)
			mark := rig.Syslog.Mark()
			at := map[string]*rig.Terminal{} // side by side
			for _, name := range []string{"admin", "user", "norole"} {
				at[name] = rig.SSH(t, name+"@contoso.example", "id -Gn")
			}
			for name, c := range at {
				c.SignIn(name + "@contoso.example")
			}
			at["admin"].Expect(`admin@contoso\.example aad_users aad_admins\n`)
			at["user"].Expect(`user@contoso\.example aad_users\n`)
			at["norole"].Expect(`Access denied:  to sign-in you be assigned`)
			if status, _ := at["norole"].End(); status != 255 {
				t.Errorf("denied, and exit status %d", status)
			}
			for _, line := range []string{
				`signed-in .*account="admin@contoso.example".* source="` + source +
					`" decision="administrator"`,
				`signed-in .*account="user@contoso.example".* source="` +
					source + `" decision="user"`,
				`denied .*account="norole@contoso.example".* source="` + source + `".* fix="`,
			} {
				rig.Syslog.Exactly(t, mark, 1, line)
			}
		})
	}
}

// A login by public key has no token, and no source can be asked about it. The last sign-in with a
// browser stands in.
func TestKeyWithSourceThatCannotAsk(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	rig.Must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	c := rig.SSH(t, "user@contoso.example", "mkdir -p .ssh && echo '"+
		strings.TrimSpace(string(public))+"' > .ssh/authorized_keys && echo written")
	c.SignIn("user@contoso.example")
	c.Expect(`written\n`)
	c.End()
	withKey := func() *rig.Terminal {
		return rig.Open(t, "ssh", "-p", rig.SSHPort, "-F", "none", "-o", "StrictHostKeyChecking=no",
			"-o", "UserKnownHostsFile=/dev/null",
			"-o", "PreferredAuthentications=publickey", "-i", key, "user@contoso.example@127.0.0.1",
			"id -un")
	}

	rig.Configured(t, "authorization", "source = \"app-roles\"\ngrant_lifetime = \"1h\"")
	c = withKey()
	c.Expect(`can only be asked with a browser`) // the last grant is by another source
	if status, _ := c.End(); status == 0 {
		t.Error("let in by a grant of another source")
	}
	c = rig.SSH(t, "user@contoso.example", "id -un")
	c.SignIn("user@contoso.example")
	c.Expect(`\nuser@contoso\.example\n`)
	c.End()
	before := len(rig.Entra.Requests())
	c = withKey()
	c.Expect(`user@contoso\.example\n`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if n := len(rig.Entra.Requests()) - before; n != 0 {
		t.Errorf("%d requests", n)
	}
}
