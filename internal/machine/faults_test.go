// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"testing"

	"aadlogin/internal/emulator"
)

// What a person at ssh sees of an outage: the sentence, and the end of the connection; nobody is let in, and the next sign-in is
// as ever. Every endpoint and outage: internal/signin.
func TestOutagesOverSSH(t *testing.T) {
	const name = "user@contoso.example"
	stored(t, name)
	for _, test := range []struct {
		what  string
		fault emulator.Fault
		cold  bool // with nothing cached
		asks  bool // for the browser first
		says  string
	}{
		{what: "metadata out", fault: emulator.Fault{Endpoint: "instance", Reset: true}, cold: true,
			says: `The metadata service of this machine cannot be reached\.`},
		{what: "discovery broken", fault: emulator.Fault{Endpoint: "openid", Body: "<html>"}, cold: true, says: `The sign-in service cannot be reached\.`},
		{what: "an impostor", says: `certificate of the sign-in service is signed by an authority this machine does not trust`},
		{what: "authorization cut short", fault: emulator.Fault{Endpoint: "checkaccess", HalfBody: true}, asks: true,
			says: `The authorization service of Azure cannot be reached\.`},
		{what: "no identity", fault: emulator.Fault{Endpoint: "identity", Raw: "no HTTP"}, asks: true,
			says: `The metadata service of this machine cannot be reached\.`},
	} {
		t.Run(test.what, func(t *testing.T) {
			if test.cold {
				if err := os.RemoveAll("/var/cache/aad-login"); err != nil {
					t.Fatal(err)
				}
			}
			if test.fault.Endpoint == "" {
				entra.Impostor(true)
				defer entra.Impostor(false)
			} else {
				entra.Fail(test.fault)
				defer entra.Heal()
			}
			c := ssh(t, name, "echo let in")
			if test.asks {
				c.signIn(name)
			}
			c.expect(test.says)
			c.expect(`Correlation ID: [0-9a-f-]{36}`)
			if status, rest := c.end(); status != 255 {
				t.Errorf("not closed: exit status %d, said %q", status, rest)
			}
			entra.Heal()
			entra.Impostor(false)
			again := ssh(t, name, "echo let in")
			again.signIn(name)
			again.expect(`\nlet in\n`)
		})
	}
}
