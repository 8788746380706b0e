// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

var (
	ownScope = emulator.Contoso().ClientID + "/sign-in"
	uriScope = "api://" + ownScope
)

func scopeLine(scope string) string {
	if scope == "" {
		return ""
	}
	return fmt.Sprintf("sign_in.scope = %q\n", scope)
}

// tenant changes the directory of a machine.
func (m *machine) tenant(change func(*emulator.Directory)) {
	m.t.Helper()
	if err := m.entra.Update(change); err != nil {
		m.t.Fatal(err)
	}
}

// try signs user in, and returns the error number that the browser showed, or 0. After a refusal in
// the browser, the machine waits until the code expires.
func (m *machine) try() (aadsts int, verdict Verdict, conv *said) {
	m.t.Helper()
	verdict, conv = m.run(m.request(user), func(code string) error {
		err := m.entra.SignIn(code, user)
		var no *emulator.Refused
		if errors.As(err, &no) {
			aadsts = no.AADSTS
			return m.entra.Expire(code)
		}
		return err
	})
	return aadsts, verdict, conv
}

func policy(grant string, p emulator.Policy) func(*emulator.Directory) {
	p.Name, p.Grant = "the policy", grant
	return func(d *emulator.Directory) { d.Policies = []emulator.Policy{p} }
}

// With a scope of the application's own, policies see the application: an exclusion exempts it, and
// a policy for it is evaluated. Without such a scope neither happens.
func TestPoliciesSeeTheApplication(t *testing.T) {
	application := []string{emulator.Contoso().ClientID}
	deviceCodes := []string{emulator.DeviceCode}
	noFactor := func(change func(*emulator.Directory)) func(*emulator.Directory) {
		return func(d *emulator.Directory) {
			change(d)
			for i := range d.Users {
				d.Users[i].NoMFA = true
			}
		}
	}
	settings := func(value string, change func(*emulator.Directory)) func(*emulator.Directory) {
		return func(d *emulator.Directory) { change(d); d.BaselineScopes = value }
	}
	excluded := policy("block", emulator.Policy{
		ExcludeResources: application, AuthenticationFlows: deviceCodes,
	})
	for _, test := range []struct {
		name            string
		tenant          func(*emulator.Directory)
		without, scoped int // what the browser says; 0: let in
	}{
		{"device codes blocked", policy("block", emulator.Policy{AuthenticationFlows: deviceCodes}),
			53003, 53003},
		{"device codes blocked but for the application", excluded, 53003, 0},
		{"everything blocked but for the application",
			policy("block", emulator.Policy{ExcludeResources: application}), 53003, 0},
		{"managed device but for the application",
			policy("managed-device", emulator.Policy{ExcludeResources: application}), 53000, 0},
		{"managed device", policy("managed-device", emulator.Policy{}), 53000, 53000},
		{"a second factor for the application",
			noFactor(policy("mfa", emulator.Policy{Resources: application})), 0, 50079},
		{"the application blocked", policy("block", emulator.Policy{Resources: application}),
			0, 53003},
		{"the directory blocked",
			policy("block", emulator.Policy{Resources: []string{emulator.DirectoryApp}}), 53003, 0},
		{"report-only", policy("block", emulator.Policy{State: "report-only"}), 0, 0},
		{"as it was before June 2026", settings("old", excluded), 0, 0},
		{"a placeholder stands for baseline scopes", settings(emulator.Contoso().
			ClientID, excluded), 0, 0},
		{"security defaults of 2026",
			func(d *emulator.Directory) {
				d.SecurityDefaults, d.SecurityDefaultsBlockDeviceCode = true, true
			}, 530035, 530035},
		{"security defaults before", func(d *emulator.Directory) { d.SecurityDefaults = true },
			0, 0},
	} {
		forms := []string{"", ownScope}
		if test.name == "device codes blocked but for the application" {
			forms = append(forms, uriScope)
		}
		for _, scope := range forms {
			want := test.scoped
			if scope == "" {
				want = test.without
			}
			t.Run(test.name+" "+scope, func(t *testing.T) {
				m := newMachine(t, scopeLine(scope))
				m.tenant(test.tenant)
				got, verdict, conv := m.try()
				if got != want {
					t.Errorf("the browser said %d, want %d", got, want)
				}
				if want == 0 {
					ended(t, verdict, conv, Success, "", "signed-in")
				} else { // the machine is told nothing
					ended(t, verdict, conv, Refused, "named error 53003, 530033 or 530035",
						`reason="expired"`)
					ended(t, verdict, conv, Refused, "You don't have access to this",
						"aadctl check --tenant")
				}
			})
		}
	}
}

// With source "permissions", policies see Azure Resource Manager, and the application's scope is
// not asked for.
func TestPoliciesSeeResourceManager(t *testing.T) {
	for resource, want := range map[string]int{
		emulator.ARMApp:             53003,
		emulator.Contoso().ClientID: 0,
	} {
		t.Run(resource, func(t *testing.T) {
			m := newMachine(t, sourceLine(config.Permissions))
			m.tenant(policy("block", emulator.Policy{Resources: []string{resource}}))
			if got, _, conv := m.try(); got != want {
				t.Errorf("the browser said %d, want %d; told %q", got, want, conv.told)
			}
		})
	}
	a := &attempt{cfg: &config.Config{
		SignIn:        config.SignIn{Scope: ownScope},
		Authorization: config.Authorization{Source: config.Permissions},
	}}
	c := new(cloud)
	c.azure.Audience = "https://management.azure.com/"
	got := a.deviceScopes(c)
	if len(got) != 1 || got[0] != "https://management.azure.com/user_impersonation" {
		t.Errorf("asks for %q", got)
	}
}

// If Entra ID tells the machine of a policy, the number decides the sentence, with each word that
// it has come with.
func TestPolicyTellsTheMachine(t *testing.T) {
	for _, word := range []string{"invalid_grant", "interaction_required", "access_denied"} {
		t.Run(word, func(t *testing.T) {
			m := newMachine(t, "")
			m.tenant(policy("block", emulator.Policy{Polling: word}))
			verdict, conv := m.run(m.request(user), func(code string) error {
				if err := m.entra.SignIn(code, user); err == nil {
					t.Error("let in")
				}
				return nil
			})
			ended(t, verdict, conv, Denied,
				"A Conditional Access policy of your organisation does not allow this sign-in",
				`aadsts="53003" fix="in the sign-in log`)
		})
	}
}

// The first person to sign in meets what the registration lacks, and the sentence says so.
func TestRegistrationAndConsent(t *testing.T) {
	graph := []string{"openid", "profile"}
	none := func(consented []string, r emulator.Registration) func(*emulator.Directory) {
		return func(d *emulator.Directory) {
			d.UserConsent = "none"
			r.Scopes, r.IdentifierURIs = d.Registration.Scopes, d.Registration.IdentifierURIs
			r.ConsentRequired, r.AdminConsent = true, consented
			d.Registration = r
		}
	}
	for _, test := range []struct {
		name   string
		tenant func(*emulator.Directory)
		scope  string
		want   int // what the browser says
	}{
		{"an administrator has consented to all", none(append(graph, ownScope),
			emulator.Registration{}), ownScope, 0},
		{"the same, by the other name", none(append(graph, ownScope), emulator.Registration{}),
			uriScope, 0},
		{"not to the scope", none(graph, emulator.Registration{}), ownScope, 90094},
		{"not to the scope, which is not asked for", none(graph, emulator.Registration{}), "", 0},
		{"pre-authorized", none(graph, emulator.Registration{PreAuthorized: []string{"sign-in"}}),
			ownScope, 0},
		{"pre-authorized alone",
			none(nil, emulator.Registration{PreAuthorized: []string{"sign-in"}}), ownScope, 90094},
		{"no service principal", none(nil, emulator.Registration{NoServicePrincipal: true}),
			ownScope, 650052},
		{"no such scope", func(*emulator.Directory) {}, emulator.Contoso().ClientID + "/other",
			650053},
		{"no such name", func(*emulator.Directory) {}, "api://elsewhere/sign-in", 500011},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, scopeLine(test.scope))
			m.tenant(test.tenant)
			got, verdict, conv := m.try()
			if got != test.want || (verdict == Success) != (test.want == 0) {
				t.Errorf("the browser said %d, want %d; verdict %d, told %q", got,
					test.want, verdict, conv.told)
			}
		})
	}
}

// Entra ID tells the machine if it does not take the form of a scope.
func TestScopeOfItselfByGUIDOnly(t *testing.T) {
	for scope, want := range map[string]Verdict{ownScope: Success, uriScope: Misconfigured} {
		t.Run(scope, func(t *testing.T) {
			m := newMachine(t, scopeLine(scope))
			m.tenant(func(d *emulator.Directory) { d.Registration.ForItself = "guid" })
			_, verdict, conv := m.try()
			if want == Success {
				ended(t, verdict, conv, want, "", "signed-in")
			} else {
				ended(t, verdict, conv, want,
					`GUID form only: set sign_in.scope to "<client_id>/sign-in".`, `aadsts="90009"`)
			}
		})
	}
}

// The access token of the application's own scope stays in no memory. An answer that does not list
// the scope is logged.
func TestScopeIsNoted(t *testing.T) {
	m := newMachine(t, scopeLine(ownScope))
	_, verdict, conv := m.try()
	ended(t, verdict, conv, Success, "", "signed-in")
	if all := strings.Join(conv.logged, "\n"); strings.Contains(all, "scope-not-granted") {
		t.Error(all)
	}
	for _, r := range m.entra.Requests() {
		if r.Endpoint == "devicecode" && r.Scope != "openid profile "+ownScope {
			t.Errorf("asked for %q", r.Scope)
		}
	}
}
