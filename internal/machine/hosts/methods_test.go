// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// One connection may try several methods, and sshd may demand two.

const whoAmI = `\nuser@contoso\.example\n`

// An account without a password must not be asked for one. After the refusal, pam_setcred(3) takes
// the path of the last authentication on the same handle (libpam's frozen chain), and sshd would
// close the connection of a person who then signs in.
func TestSeveralMethodsOnOneConnection(t *testing.T) {
	const user, at = "user@contoso.example", "user@contoso.example@127.0.0.1"
	rig.Stored(t, user)
	_, unknown := rig.KeyArgs(t, "2234", "any")
	for name, first := range map[string][]string{
		"password": {"-o", "PreferredAuthentications=password,keyboard-interactive"},
		"key":      {"-o", "PreferredAuthentications=publickey,keyboard-interactive"},
		"key and password": {"-o",
			"PreferredAuthentications=publickey,password,keyboard-interactive"},
	} {
		t.Run(name, func(t *testing.T) {
			c := rig.Open(t, "ssh", append(append(first, unknown...), at, "id -un")...)
			c.SignIn(user)
			c.Expect(whoAmI)
			if strings.Contains(c.All(), "assword:") {
				t.Error("asked for a password")
			}
		})
	}
}

func TestKeyAndBrowser(t *testing.T) {
	const user, at = "user@contoso.example", "user@contoso.example@127.0.0.1"
	rig.Stored(t, user)
	known, unknown := rig.KeyArgs(t, "2235", "publickey,keyboard-interactive")
	c := rig.Open(t, "ssh", append(known, at, "id -un")...)
	c.SignIn(user)
	c.Expect(whoAmI)
	c.End()

	before := rig.Requests("devicecode")
	c = rig.Open(t, "ssh", append(unknown, at, "id -un")...)
	c.Expect(`Permission denied`)
	if status, _ := c.End(); status != 255 || rig.Requests("devicecode") != before {
		t.Errorf("without the key: exit status %d, %d device codes", status,
			rig.Requests("devicecode")-before)
	}

	rig.Revoke(t, user)
	c = rig.Open(t, "ssh", append(known, at, "id -un")...)
	c.SignIn(user)
	c.Expect("Access denied:  to sign-in")
	c.Cmd.Process.Kill()
	if _, rest := c.End(); strings.Contains(rest, user+"\n") {
		t.Errorf("without a role: %q", rest)
	}
}
