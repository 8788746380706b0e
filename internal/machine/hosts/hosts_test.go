// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"os"
	"testing"

	"aadlogin/internal/machine/rig"
)

func TestPamtester(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	c := rig.Open(t, "pamtester", "sshd", "user@contoso.example", "authenticate", "acct_mgmt")
	c.SignIn("user@contoso.example")
	c.Expect(`successfully authenticated`)
	c.Expect(`account management done`)
	if status, _ := c.End(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	c = rig.Open(t, "pamtester", "sshd", "norole@contoso.example", "authenticate")
	c.SignIn("norole@contoso.example")
	c.Expect("Access denied:  to sign-in you be assigned")
	c.Expect("Permission denied")
}

// su by another user needs a sign-in. su by root does not, but the account is authorized.
func TestSu(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	rig.LocalUser(t)
	c := rig.Open(t, "runuser", "-u", "local", "--", "su", "-", "user@contoso.example", "-c",
		"id -un")
	c.Expect(`Signing in to \S+ as user@contoso\.example \(su-l\)\.`)
	c.SignIn("user@contoso.example")
	c.Expect(`\nuser@contoso\.example\n`)

	before := rig.Requests("checkaccess")
	c = rig.Open(t, "su", "-", "user@contoso.example", "-c", "id -un")
	c.Expect(`user@contoso\.example\n`)
	if rig.Requests("checkaccess") == before {
		t.Error("nobody asked Azure whether this account may still log in")
	}
}

func TestLogin(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	if _, err := os.Stat("/bin/login"); err != nil {
		t.Fatal(err)
	}
	c := rig.Open(t, "/bin/login", "user@contoso.example")
	c.SignIn("user@contoso.example")
	c.Expect(`\$ `)
	c.TypeLine("id -un; exit")
	c.Expect(`\nuser@contoso\.example\n`)
}
