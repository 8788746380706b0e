// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import "testing"

// FuzzIssuersTenant checks that a tenant that is found is a GUID.
func FuzzIssuersTenant(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://login.example/` + testTenant + `/v2.0"}`))
	f.Add([]byte(`{"issuer":"https://login.example/{tenantid}/v2.0"}`))
	f.Add([]byte(`{"issuer":"//` + testTenant + `"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if tenant, err := issuersTenant(body); err == nil && len(tenant) != len(testTenant) {
			t.Errorf("%q", tenant)
		}
	})
}
