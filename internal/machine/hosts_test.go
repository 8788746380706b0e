// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"testing"
)

func TestPamtester(t *testing.T) {
	stored(t, "user@contoso.example")
	c := open(t, "pamtester", "sshd", "user@contoso.example", "authenticate", "acct_mgmt")
	c.signIn("user@contoso.example")
	c.expect(`successfully authenticated`)
	c.expect(`account management done`)
	if status, _ := c.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	c = open(t, "pamtester", "sshd", "norole@contoso.example", "authenticate")
	c.signIn("norole@contoso.example")
	c.expect("Access denied:  to sign-in you be assigned")
	c.expect("Permission denied")
}

// su by another user needs a sign-in; su by root does not, but the account is authorized all the same.
func TestSu(t *testing.T) {
	stored(t, "user@contoso.example")
	localUser(t)
	c := open(t, "runuser", "-u", "local", "--", "su", "-", "user@contoso.example", "-c", "id -un")
	c.expect(`Signing in to \S+ as user@contoso\.example \(su-l\)\.`)
	c.signIn("user@contoso.example")
	c.expect(`\nuser@contoso\.example\n`)

	before := requests("checkaccess")
	c = open(t, "su", "-", "user@contoso.example", "-c", "id -un")
	c.expect(`user@contoso\.example\n`)
	if requests("checkaccess") == before {
		t.Error("nobody asked Azure whether this account may still log in")
	}
}

func TestLogin(t *testing.T) {
	stored(t, "user@contoso.example")
	if _, err := os.Stat("/bin/login"); err != nil {
		t.Fatal(err)
	}
	c := open(t, "/bin/login", "user@contoso.example")
	c.signIn("user@contoso.example")
	c.expect(`\$ `)
	c.typeLine("id -un; exit")
	c.expect(`\nuser@contoso\.example\n`)
}
