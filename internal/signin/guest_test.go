// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"testing"

	"aadlogin/internal/emulator"
)

// A guest with a personal account may carry a colleague's name. The guest must not be the first
// here under that name.
func TestGuestWithAnUnverifiedName(t *testing.T) {
	const home = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/"
	for idp, want := range map[string]Verdict{
		"live.com": Denied, "mail": Denied, home: Success,
		"https://adfs.fabrikam.example/adfs/services/trust": Denied, // federated, not personal
	} {
		t.Run(idp, func(t *testing.T) {
			m := newMachine(t, "")
			err := m.entra.Update(func(d *emulator.Directory) {
				for i := range d.Users {
					d.Users[i].IdentityProvider = idp
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			got, conv := m.signIn(m.request(user), user)
			if want == Success {
				if got != Success {
					t.Errorf("verdict %d, told %q", got, conv.told)
				}
				return
			}
			ended(t, got, conv, want, "may carry any name", "unverified-name")
			ended(t, got, conv, want, "a guest whose account is none of an organisation in Entra ID",
				`fix="only a tenant of Entra ID vouches for names`)
			m.unknown(user)
			if m.requests("checkaccess") != 0 {
				t.Error("Azure was asked")
			}
		})
	}
}
