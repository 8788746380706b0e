// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import "testing"

func TestDecideNothing(t *testing.T) {
	if d := Decide(Facts{}); d.Login || d.Admin || d.Reason == "" {
		t.Errorf("the zero facts decide %+v", d)
	}
}

// The actions must be those of the machine that was asked about.
func TestDecideArc(t *testing.T) {
	arc := mustResource(t, "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/m1")
	vm := mustResource(t, testVM)
	facts := func(about, actions Resource) Facts {
		return Facts{Question: Question{about, testOID}, Evidence: Verdicts{
			{Action: actions.Actions().Login, DataAction: true, Word: "Allowed"},
			{Action: actions.Actions().LoginAsAdmin, DataAction: true, Word: "Allowed", By: By{"r", "/s", "a"}},
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
