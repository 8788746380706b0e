// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, action string
		want            bool
	}{
		{"a/b/action", "A/B/Action", true},
		{"a/b/action", "a/b/actions", false},
		{"*", "", true},
		{"*", "a/b/c", true},
		{"a/*", "a/b/c", true},
		{"a/*", "ab/c", false},
		{"*/read", "a/b/read", true},
		{"*/read", "a/b/read/x", false},
		{"a/*/read", "a/b/c/read", true},
		{"a/*/read", "a/read", false},
		{"a*b*c", "abbc", true},
		{"a*b*c", "acb", false},
		{"a*a", "a", false},
		{"*ab", "aab", true},
		{"", "", true},
		{"", "a", false},
	}
	for _, test := range tests {
		if got := matches(test.pattern, test.action); got != test.want {
			t.Errorf("matches(%q, %q) = %v", test.pattern, test.action, got)
		}
	}
}

const (
	vm       = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/demo-vm"
	login    = "Microsoft.Compute/virtualMachines/login/action"
	asAdmin  = "Microsoft.Compute/virtualMachines/loginAsAdmin/action"
	nobody   = "norole@contoso.example"
	userRole = "Virtual Machine User Login"
)

// Each case of TestDecide starts from a person without a role.
func TestDecide(t *testing.T) {
	give := func(role, scope string) func(*Directory) {
		return func(d *Directory) {
			d.Assignments = append(d.Assignments, Assignment{nobody, role, scope, ""})
		}
	}
	custom := func(yes, no string) func(*Directory) {
		return func(d *Directory) {
			r := Role{ID: newGUID(), Name: "Custom " + yes + no, DataActions: []string{yes}}
			if no != "" {
				r.NotDataActions = []string{no}
			}
			d.Roles = append(d.Roles, r)
			give(r.Name, vm)(d)
		}
	}
	deny := func(change func(*Deny)) func(*Directory) {
		return func(d *Directory) {
			give(userRole, vm)(d)
			y := Deny{Name: "no", Principals: []string{nobody}, DataActions: []string{"*"},
				Scope: "/"}
			change(&y)
			d.Denies = append(d.Denies, y)
		}
	}
	all := func(steps ...func(*Directory)) func(*Directory) {
		return func(d *Directory) {
			for _, s := range steps {
				s(d)
			}
		}
	}
	group := func(d *Directory) {
		d.Groups = append(d.Groups,
			Group{"outer", newGUID(), []string{"inner"}},
			Group{"inner", newGUID(), []string{"outer", nobody}}) // a cycle
		d.Assignments = append(d.Assignments, Assignment{"outer", userRole, vm, ""})
	}
	rg := vm[:strings.Index(vm, "/providers")]
	tests := []struct {
		name   string
		change func(*Directory)
		action string
		want   string
	}{
		{"no role", all(), login, "NotAllowed"},
		{"at the machine", give(userRole, vm), login, "Allowed"},
		{"by role id", give("FB879DF8-f326-4884-b1cf-06f3ad86be52", vm), login, "Allowed"},
		{"login is not admin", give(userRole, vm), asAdmin, "NotAllowed"},
		{"admin", give("Virtual Machine Administrator Login", vm), asAdmin, "Allowed"},
		{"resource group", give(userRole, rg), login, "Allowed"},
		{"trailing slash, case", give(userRole, strings.ToUpper(rg)+"/"), login, "Allowed"},
		{"root", give(userRole, "/"), login, "Allowed"},
		{"management group",
			give(userRole, "/providers/Microsoft.Management/managementGroups/Contoso-Root"), login,
			"Allowed"},
		{"another management group",
			give(userRole, "/providers/Microsoft.Management/managementGroups/other"), login,
			"NotAllowed"},
		{"sibling with a common prefix", give(userRole, vm+"2"), login, "NotAllowed"},
		{"prefix of a segment", give(userRole, vm[:len(vm)-1]), login, "NotAllowed"},
		{"below", give(userRole, vm+"/extensions/x"), login, "NotAllowed"},
		{"owner", give("Owner", "/"), login, "NotAllowed"},
		{"contributor", give("Contributor", "/"), login, "NotAllowed"},
		{"wildcard", custom("Microsoft.Compute/*", ""), asAdmin, "Allowed"},
		{"minus", custom("*", "*/loginAsAdmin/action"), asAdmin, "NotAllowed"},
		{"minus leaves the rest", custom("*", "*/loginAsAdmin/action"), login, "Allowed"},
		{"minus, rescued by another role", all(custom("*", "*/login/action"), give(userRole, vm)),
			login, "Allowed"},
		{"nested group with a cycle", group, login, "Allowed"},
		{"denied", deny(func(*Deny) {}), login, "Denied"},
		{"everyone denied", deny(func(y *Deny) { y.Principals = []string{everyone} }), login,
			"Denied"},
		{"excluded", deny(func(y *Deny) { y.Exclude = []string{nobody} }), login, "Allowed"},
		{"another denied", deny(func(y *Deny) { y.Principals = []string{"user@contoso.example"} }),
			login, "Allowed"},
		{"denied elsewhere", deny(func(y *Deny) { y.Scope = vm + "2" }), login, "Allowed"},
		{"denied above, not below", deny(func(y *Deny) {
			y.Scope, y.DoNotApplyToChildScopes = rg, true
		}), login, "Allowed"},
		{"denied exactly here", deny(func(y *Deny) {
			y.Scope, y.DoNotApplyToChildScopes = vm+"/", true
		}), login, "Denied"},
		{"deny of actions is not of data",
			deny(func(y *Deny) {
				y.Actions, y.DataActions = y.DataActions, nil
			}), login, "Allowed"},
		{"deny with an exception", deny(func(y *Deny) { y.NotDataActions = []string{login} }),
			login, "Allowed"},
	}
	for _, test := range tests {
		d := Contoso()
		test.change(d)
		if key, problem := d.problem(); problem != "" {
			t.Fatalf("%s: %s: %s", test.name, key, problem)
		}
		u, _ := d.user(nobody)
		v := d.decide(question{d.subject(u.ObjectID), test.action, true, vm})
		if v.word != test.want {
			t.Errorf("%s: %s, want %s", test.name, v.word, test.want)
		}
	}
}

func TestConditions(t *testing.T) {
	d := Contoso()
	u, _ := d.user(nobody)
	q := question{d.subject(u.ObjectID), login, true, vm}
	d.Assignments = append(d.Assignments, Assignment{nobody, userRole, vm,
		"@Resource[x] StringEquals 'y'"})
	if v := d.decide(q); v.word != "Allowed" || v.assignment.Condition == "" {
		t.Errorf("with a condition: %+v", v)
	}
	d.Assignments = append(d.Assignments, Assignment{nobody, userRole, "/", ""})
	if v := d.decide(q); v.word != "Allowed" || v.assignment.Condition != "" {
		t.Errorf("with and without a condition: %+v", v)
	}
}

func TestAccess(t *testing.T) {
	d := Contoso()
	want := map[string]string{"admin@contoso.example": "administrator",
		"user@contoso.example": "user", nobody: "no role"}
	for _, u := range d.Users {
		if got := d.Access(u); got != want[u.Name] {
			t.Errorf("%s: %s, want %s", u.Name, got, want[u.Name])
		}
	}
	if len(d.Users) != len(want) {
		t.Errorf("%d users, want %d", len(d.Users), len(want))
	}
}
