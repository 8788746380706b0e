// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"regexp"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// earlyEnters is the number of times that a person presses ENTER before the browser is done. Each
// is followed by 15 s of silence, so it takes two minutes.
const earlyEnters = 8

// This is the time of a person's ENTER. An earlier one comes from a program, and is not asked for
// again.
const afterReading = time.Second

// TestClientsEarly answers each prompt at once, and goes to the browser after two minutes. Each
// client has its default patience, or a shorter one that people set: OpenSSH 45 s with
// ServerAliveInterval 15, JSch and FileZilla 20 s.
func TestClientsEarly(t *testing.T) {
	if !*otherClients {
		t.Skip("run by: make clients")
	}
	rig.Stored(t, clientUser)
	for _, k := range []client{
		{name: "ssh", args: func(t *testing.T) []string {
			return []string{
				"ssh", "-F", clientConfig(t), "-o", "ServerAliveInterval=15",
				clientUser + "@127.0.0.1", "id", "-un",
			}
		}},
		{name: "JSch", args: withJSch("20000")},
	} {
		t.Run(k.name, func(t *testing.T) {
			args := k.args(t)
			c := rig.Open(t, args[0], args[1:]...)
			page, code := c.Prompted()
			for range earlyEnters {
				time.Sleep(afterReading)
				c.TypeLine("")
				c.Expect(`Still waiting for the browser\. \n`)
				if again, same := c.Prompted(); again != page || same != code {
					t.Errorf("asked again with %s and %s, not %s and %s", again, same, page, code)
				}
			}
			rig.Browse(t, page, code, clientUser)
			c.TypeLine("")
			c.Expect(`(?m)^` + regexp.QuoteMeta(clientUser) + `$`)
		})
	}
	t.Run("FileZilla", fileZillaEarly)
	t.Run("a dialog that is cancelled", cancelledEarly)
}

// cancelledEarly cancels a dialog, which ssh takes for ENTER. The next dialog comes in time.
func cancelledEarly(t *testing.T) {
	c := rig.Open(t, "env", "SSH_ASKPASS_REQUIRE=force", "SSH_ASKPASS="+askpass(t, "exit 1"), "ssh",
		"-F", clientConfig(t), clientUser+"@127.0.0.1", "id", "-un")
	page, code := c.Prompted()
	time.Sleep(afterReading)
	c.TypeLine("")
	c.Expect(`askpass shows:\n.*Still waiting for the browser\. \n`)
	rig.Browse(t, page, code, clientUser)
	c.TypeLine("")
	c.Expect(`(?m)^` + regexp.QuoteMeta(clientUser) + `$`)
}

// fileZillaEarly does the same with a dialog of which only the title can be read. The emulator
// tells which code it shows.
func fileZillaEarly(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	before := len(rig.Entra.Codes())
	c := rig.Open(t, "xvfb-run", "-a", libraries+"with_filezilla", rig.SSHPort, clientUser)
	dialog := func() { c.Expect(`FileZilla asks: Enter password\n`) }
	dialog()
	for range earlyEnters {
		time.Sleep(afterReading)
		c.TypeLine("")
		dialog()
	}
	codes := rig.Entra.Codes()[before:]
	if len(codes) != 1 || codes[0].State != emulator.Pending {
		t.Fatalf("%+v", codes)
	}
	rig.Browse(t, rig.Entra.VerificationURI(), codes[0].UserCode, clientUser)
	c.TypeLine("")
	c.Expect(`Directory listing of "?/home/` + regexp.QuoteMeta(clientUser) + `"? successful`)
}
