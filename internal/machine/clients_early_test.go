// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"regexp"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// earlyEnters is how often somebody presses ENTER before the browser is done. Each is followed by 15 s of silence: two minutes.
const earlyEnters = 8

// A person's ENTER; what comes sooner a program has pressed, and nobody is asked again.
const afterReading = time.Second

// TestClientsEarly has a person answer each prompt at once, and go to the browser after two minutes. Each client has the patience that
// it has by default or that people give it, which is less: OpenSSH's 45 s with ServerAliveInterval 15, 20 s of JSch's and FileZilla's.
func TestClientsEarly(t *testing.T) {
	if !*otherClients {
		t.Skip("run by: make clients")
	}
	stored(t, clientUser)
	for _, k := range []client{
		{name: "ssh", args: func(t *testing.T) []string {
			return []string{"ssh", "-F", clientConfig(t), "-o", "ServerAliveInterval=15", clientUser + "@127.0.0.1", "id", "-un"}
		}},
		{name: "JSch", args: withJSch("20000")},
	} {
		t.Run(k.name, func(t *testing.T) {
			args := k.args(t)
			c := open(t, args[0], args[1:]...)
			page, code := c.prompted()
			for range earlyEnters {
				time.Sleep(afterReading)
				c.typeLine("")
				c.expect(`Still waiting for the browser\. \n`)
				if again, same := c.prompted(); again != page || same != code {
					t.Errorf("asked again with %s and %s, not %s and %s", again, same, page, code)
				}
			}
			browse(t, page, code, clientUser)
			c.typeLine("")
			c.expect(`(?m)^` + regexp.QuoteMeta(clientUser) + `$`)
		})
	}
	t.Run("FileZilla", fileZillaEarly)
	t.Run("a dialog that is cancelled", cancelledEarly)
}

// cancelledEarly: ssh takes a dialog that is cancelled for ENTER, and gets another in time.
func cancelledEarly(t *testing.T) {
	c := open(t, "env", "SSH_ASKPASS_REQUIRE=force", "SSH_ASKPASS="+askpass(t, "exit 1"), "ssh", "-F", clientConfig(t), clientUser+"@127.0.0.1", "id", "-un")
	page, code := c.prompted()
	time.Sleep(afterReading)
	c.typeLine("")
	c.expect(`askpass shows:\n.*Still waiting for the browser\. \n`)
	browse(t, page, code, clientUser)
	c.typeLine("")
	c.expect(`(?m)^` + regexp.QuoteMeta(clientUser) + `$`)
}

// fileZillaEarly is the same where nothing can be read from the dialog but its title: which code it shows, the emulator tells.
func fileZillaEarly(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	before := len(entra.Codes())
	c := open(t, "xvfb-run", "-a", libraries+"with_filezilla", sshPort, clientUser)
	dialog := func() { c.expect(`FileZilla asks: Enter password\n`) }
	dialog()
	for range earlyEnters {
		time.Sleep(afterReading)
		c.typeLine("")
		dialog()
	}
	codes := entra.Codes()[before:]
	if len(codes) != 1 || codes[0].State != emulator.Pending {
		t.Fatalf("%+v", codes)
	}
	browse(t, entra.VerificationURI(), codes[0].UserCode, clientUser)
	c.typeLine("")
	c.expect(`Directory listing of "?/home/` + regexp.QuoteMeta(clientUser) + `"? successful`)
}
