// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

// Grants and windows hold under the scope that they were given under. An upgrade sets no scope, so
// it withdraws none of them.
func TestConfigDigestHasTheScope(t *testing.T) {
	c := &config.Config{TenantID: "t", ClientID: "c", Domains: []string{"contoso.com"},
		Cloud: "auto", Authorization: config.Authorization{Source: "check-access"}}
	const before = "a6734abac0e66c45" // of the version that knew no scope
	plain := ConfigDigest(c)
	if !strings.HasPrefix(plain, before) {
		t.Errorf("without a scope: %s, want %s…", plain, before)
	}
	c.SignIn.Scope = "c/sign-in"
	own := ConfigDigest(c)
	c.SignIn.Scope = "api://c/sign-in"
	if uri := ConfigDigest(c); own == plain || uri == own || uri == plain {
		t.Errorf("%s, %s, %s", plain, own, uri)
	}
}

// A grant from before the scope was set stands in for nothing.
func TestGrantWithoutScope(t *testing.T) {
	const hour = "authorization.grant_lifetime = \"1h\"\n"
	for name, scope := range map[string]string{"as it was": "", "another": ownScope} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, hour)
			a := m.person(user, userOID)
			m.put(a)
			grant := account.Grant{TenantID: a.TenantID, ObjectID: a.ObjectID,
				ConfigDigest: m.configDigest(),
				Moment:       account.Moment{Time: m.now().Add(-time.Minute)}}
			if err := m.store.RecordGrant(a.UID, grant); err != nil {
				t.Fatal(err)
			}
			m.reconfigure(hour + scopeLine(scope))
			m.entra.Fail(emulator.Fault{Endpoint: "arm", Reset: true})
			if got, _ := m.again(m.request(user)); (got == Success) != (scope == "") {
				t.Errorf("verdict %d", got)
			}
		})
	}
}
