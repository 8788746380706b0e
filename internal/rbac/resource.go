// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"strings"
	"unicode"

	"aadlogin/internal/azure"
)

// Actions are the two data actions that matter on a kind of machine.
type Actions struct {
	Login        string
	LoginAsAdmin string
}

// A Resource is the Azure resource id of a machine. Only [ParseResource]
// makes one, so its text is safe to put into a URL's path.
type Resource struct {
	id      string
	actions Actions
}

// String returns the id as it was given, without a trailing slash.
func (r Resource) String() string { return r.id }

// Actions returns the data actions that Azure defines for this kind of
// machine; none for the zero Resource.
func (r Resource) Actions() Actions { return r.actions }

// OnArc says whether the machine is one of Azure Arc, which is not in Azure.
func (r Resource) OnArc() bool {
	return strings.HasPrefix(r.actions.Login, "Microsoft.HybridCompute/")
}

// machineTypes are the resource types a person can log in to, as they appear
// in an id after "providers". A star is a name.
func machineTypes() []machineType {
	azure := Actions{
		"Microsoft.Compute/virtualMachines/login/action",
		"Microsoft.Compute/virtualMachines/loginAsAdmin/action",
	}
	arc := Actions{
		"Microsoft.HybridCompute/machines/login/action",
		"Microsoft.HybridCompute/machines/loginAsAdmin/action",
	}
	return []machineType{
		{"Microsoft.Compute/virtualMachines/*", azure},
		// An instance of a uniform scale set. Roles assigned on the set are inherited.
		{"Microsoft.Compute/virtualMachineScaleSets/*/virtualMachines/*", azure},
		{"Microsoft.HybridCompute/machines/*", arc},
	}
}

type machineType struct {
	pattern string
	actions Actions
}

// ParseResource checks that id is of a machine. The id comes from metadata
// that any neighbour on a badly isolated network may forge, and ends up in a
// URL that carries the machine's token: no dots, no query, no extra segment.
func ParseResource(id string) (Resource, error) {
	id = strings.TrimSuffix(id, "/")
	segments := strings.Split(id, "/")
	if len(id) > 1024 || len(segments) < 7 {
		return Resource{}, badResource(id)
	}
	prefix := "/subscriptions/" + segments[2] + "/resourceGroups/" + segments[4] + "/providers"
	if !sameWord(strings.Join(segments[:6], "/"), prefix) || !azure.IsGUID(segments[2]) || !isName(segments[4]) {
		return Resource{}, badResource(id)
	}
	for _, t := range machineTypes() {
		if isOfType(segments[6:], strings.Split(t.pattern, "/")) {
			return Resource{id, t.actions}, nil
		}
	}
	return Resource{}, badResource(id)
}

func badResource(id string) error {
	return fmt.Errorf("rbac: %q is not the resource id of a machine: want /subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/… or a scale set's instance or Microsoft.HybridCompute/machines/…", clip(id))
}

func isOfType(segments, pattern []string) bool {
	if len(segments) != len(pattern) {
		return false
	}
	for i, want := range pattern {
		if want == "*" && !isName(segments[i]) || want != "*" && !sameWord(segments[i], want) {
			return false
		}
	}
	return true
}

// sameWord compares without regard to case, as Azure does, but only letters
// of equal length: Unicode also folds ſ into s and the Kelvin sign into k.
func sameWord(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(a, b)
}

// isName follows Azure's naming rules for resource groups, the laxest of the
// names in such an id: letters and digits of any script, and - _ . ( ), no
// dot at the end.
func isName(s string) bool {
	if s == "" || len(s) > 360 || strings.HasSuffix(s, ".") {
		return false
	}
	for _, r := range s {
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.()", r) {
			return false
		}
	}
	return true
}
