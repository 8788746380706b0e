// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// In an outage, ssh shows the sentence and the end of the connection. Nobody is let in, and the
// next sign-in works. internal/signin tests every endpoint and outage.
func TestOutagesOverSSH(t *testing.T) {
	const name = "user@contoso.example"
	rig.Stored(t, name)
	for _, test := range []struct {
		what  string
		fault emulator.Fault
		cold  bool // with nothing cached
		asks  bool // for the browser first
		says  string
	}{
		{what: "metadata out", fault: emulator.Fault{Endpoint: "instance", Reset: true}, cold: true,
			says: `The metadata service of this machine cannot be reached\.`},
		{what: "discovery broken", fault: emulator.Fault{Endpoint: "openid", Body: "<html>"},
			cold: true, says: `The sign-in service cannot be reached\.`},
		{what: "an impostor",
			says: `certificate of the sign-in service is signed by an authority this machine does not trust`},
		{what: "authorization cut short", fault: emulator.Fault{Endpoint: "checkaccess",
			HalfBody: true}, asks: true,
			says: `The authorization service of Azure cannot be reached\.`},
		{what: "no identity", fault: emulator.Fault{Endpoint: "identity", Raw: "no HTTP"},
			asks: true,
			says: `The metadata service of this machine cannot be reached\.`},
	} {
		t.Run(test.what, func(t *testing.T) {
			if test.cold {
				if err := os.RemoveAll("/var/cache/aad-login"); err != nil {
					t.Fatal(err)
				}
			}
			if test.fault.Endpoint == "" {
				rig.Entra.Impostor(true)
				defer rig.Entra.Impostor(false)
			} else {
				rig.Entra.Fail(test.fault)
				defer rig.Entra.Heal()
			}
			c := rig.SSH(t, name, "echo let in")
			if test.asks {
				c.SignIn(name)
			}
			c.Expect(test.says)
			c.Expect(`Correlation ID: [0-9a-f-]{36}`)
			if status, rest := c.End(); status != 255 {
				t.Errorf("not closed: exit status %d, said %q", status, rest)
			}
			rig.Entra.Heal()
			rig.Entra.Impostor(false)
			again := rig.SSH(t, name, "echo let in")
			again.SignIn(name)
			again.Expect(`\nlet in\n`)
		})
	}
}
