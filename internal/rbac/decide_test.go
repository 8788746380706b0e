// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"testing"
)

func TestDecideNothing(t *testing.T) {
	if d := Decide(Facts{}); d.Login || d.Admin || d.Reason == "" {
		t.Errorf("the zero facts decide %+v", d)
	}
}

// The actions must be those of the machine that was asked about.
func TestDecideArc(t *testing.T) {
	arc := mustResource(t,
		"/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/m1")
	vm := mustResource(t, testVM)
	facts := func(about, actions Resource) Facts {
		return Facts{Question: Question{about, testOID}, Evidence: ActionDecisions{
			{Action: actions.Actions().Login, DataAction: true, Word: "Allowed"},
			{Action: actions.Actions().LoginAsAdmin, DataAction: true, Word: "Allowed",
				By: By{"r", "/s", "a"}},
		}}
	}
	for _, r := range []Resource{arc, vm} {
		if d := Decide(facts(r, r)); !d.Login || !d.Admin || d.By != (By{"r", "/s", "a"}) {
			t.Errorf("%v: %+v", r, d)
		}
	}
	if d := Decide(facts(arc, vm)); d.Login {
		t.Errorf("let in to an Arc machine by virtual machine actions: %+v", d)
	}
	if d := Decide(facts(vm, arc)); d.Login {
		t.Errorf("let in to a virtual machine by Arc actions: %+v", d)
	}
}

// App roles need no machine, and are compared exactly.
func TestAppRoles(t *testing.T) {
	for _, test := range []struct {
		roles []string
		want  string
	}{
		{nil, "no"},
		{[]string{}, "no"},
		{[]string{""}, "no"},
		{[]string{"login"}, "login"},
		{[]string{"loginAsAdmin"}, "no"},
		{[]string{"login", "loginAsAdmin"}, "admin"},
		{[]string{"loginAsAdmin", "x", "login", "login"}, "admin"},
		{[]string{"Login"}, "no"},
		{[]string{"login", "loginasadmin"}, "login"},
		{[]string{"login loginAsAdmin"}, "no"},
		{[]string{" login"}, "no"},
		{[]string{"*"}, "no"},
	} {
		f, err := AppRoles{test.roles}.Ask(t.Context(), Question{ObjectID: testOID})
		d := Decide(f)
		if err != nil || word(d) != test.want || d.Reason == "" != d.Admin {
			t.Errorf("%q: %+v, %v", test.roles, d, err)
		}
		want := map[string]string{"login": "login", "admin": "loginAsAdmin"}[test.want]
		if d.Role != want {
			t.Errorf("%q: by role %q", test.roles, d.Role)
		}
	}
}

// Without the name of a machine, no evidence counts. Only app roles are not about machines.
func TestDecideWithoutMachine(t *testing.T) {
	all := []Permission{{DataActions: []string{"*"}}}
	for _, evidence := range []Evidence{
		ActionDecisions{{DataAction: true, Word: "Allowed"}, {DataAction: true, Word: "Allowed"}},
		Assignments{Roles: map[string]Role{"r": {Permissions: all}},
			Assignments: []Assignment{{Role: "r", Principal: Principal{ID: testOID}, Scope: "/"}}},
		OwnPermissions(all),
	} {
		d := Decide(Facts{Question: Question{ObjectID: testOID}, Evidence: evidence})
		if d.Login || d.Reason != notMachine {
			t.Errorf("%T: %+v", evidence, d)
		}
	}
}

// The sources that ask Azure need a person and a machine.
func TestNothingToAsk(t *testing.T) {
	vm := mustResource(t, testVM)
	for _, q := range []Question{
		{vm, ""}, {vm, testOID + "'"}, {vm, testOID[1:]}, {Resource{}, testOID}, {},
	} {
		// There is no ARM, so a request would panic.
		for _, s := range []Source{CheckAccess{}, RoleAssignments{}, Permissions{}} {
			if f, err := s.Ask(t.Context(), q); err == nil || f.Evidence != nil {
				t.Errorf("%T: %+v", s, f)
			}
		}
	}
}

// BenchmarkDecide has the only role that allows the login last, behind ten that do not.
func BenchmarkDecide(b *testing.B) {
	vm := mustResource(b, testVM)
	for _, n := range []int{10, 1000, 100_000} {
		all := Permission{DataActions: []string{"Microsoft.Compute/*"}}
		e := Assignments{Roles: map[string]Role{"admin": {Permissions: []Permission{all}}}}
		for i := range 10 {
			other := Permission{DataActions: []string{"Microsoft.Storage/*/read", "*/write"}}
			e.Roles[fmt.Sprint(i)] = Role{Permissions: []Permission{other}}
		}
		for i := range n {
			e.Assignments = append(e.Assignments, Assignment{
				Role: fmt.Sprint(i % 10), Principal: Principal{testOID, "User"}, Scope: testVM,
			})
		}
		e.Assignments[n-1].Role = "admin"
		e.Denies = []Deny{{
			Scope:       "/",
			Permissions: []Permission{{DataActions: []string{"*"}}},
			Principals:  []Principal{{"x", "User"}},
		}}
		f := Facts{Question: Question{vm, testOID}, Evidence: e}
		b.Run(fmt.Sprintf("assignments=%d", n), func(b *testing.B) {
			for b.Loop() {
				if !Decide(f).Admin {
					b.Fatal("not granted")
				}
			}
		})
	}
}
