// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"strings"
	"unicode"

	"aadlogin/internal/foreign"
	"aadlogin/internal/guid"
)

// Actions are the two data actions that matter on a kind of machine.
type Actions struct {
	Login        string
	LoginAsAdmin string
}

// A Resource is the Azure resource id of a machine. Only [ParseResource] makes one, so its text is
// safe in the path of a URL.
type Resource struct {
	id      string
	scope   string
	actions Actions
}

// String returns the id as it was given, without a trailing slash.
func (r Resource) String() string { return r.id }

// Actions returns the data actions that Azure defines for this kind of machine. The zero Resource
// has none.
func (r Resource) Actions() Actions { return r.actions }

// Scope returns where the machine's identity and roles are: at the machine itself, or for a uniform
// instance at its scale set. Such an instance has no identity of its own, and what is assigned at
// it is lost when it is replaced.
func (r Resource) Scope() string { return r.scope }

// InScaleSet reports whether the machine is an instance of a uniform scale set. An instance of a
// flexible set is a virtual machine like any other.
func (r Resource) InScaleSet() bool { return r.scope != r.id }

// OnArc reports whether the machine is one of Azure Arc, which is not in Azure.
func (r Resource) OnArc() bool {
	return strings.HasPrefix(r.actions.Login, "Microsoft.HybridCompute/")
}

// machineTypes are the resource types that a person can log in to, as they appear in an id after
// "providers". A star stands for a name.
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
		{"Microsoft.Compute/virtualMachines/*", 0, azure},
		// An instance of a uniform scale set. Roles assigned on the set are inherited.
		{"Microsoft.Compute/virtualMachineScaleSets/*/virtualMachines/*", 2, azure},
		{"Microsoft.HybridCompute/machines/*", 0, arc},
	}
}

type machineType struct {
	pattern string
	below   int // segments below the resource that has its roles and identity
	actions Actions
}

// ParseResource checks that id is the id of a machine. The id comes from metadata, which any
// neighbour on a badly isolated network may forge, and becomes part of a URL that is requested with
// the machine's token. So it may hold no dots, no query and no extra segment.
func ParseResource(id string) (Resource, error) {
	id = strings.TrimSuffix(id, "/")
	segments := strings.Split(id, "/")
	if len(id) > 1024 || len(segments) < 7 {
		return Resource{}, badResource(id)
	}
	prefix := "/subscriptions/" + segments[2] + "/resourceGroups/" + segments[4] + "/providers"
	if !sameWord(strings.Join(segments[:6], "/"), prefix) ||
		!guid.Is(segments[2]) || !isName(segments[4]) {
		return Resource{}, badResource(id)
	}
	for _, t := range machineTypes() {
		if isOfType(segments[6:], strings.Split(t.pattern, "/")) {
			return Resource{id, strings.Join(segments[:len(segments)-t.below], "/"), t.actions}, nil
		}
	}
	return Resource{}, badResource(id)
}

func badResource(id string) error {
	return fmt.Errorf("rbac: %q is not the resource id of a machine: want "+
		"/subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/… or a "+
		"scale set's instance or Microsoft.HybridCompute/machines/…", foreign.Clip(id))
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

// sameWord compares without case, as Azure does, but only words of equal length: Unicode also folds
// ſ into s and the Kelvin sign into k.
func sameWord(a, b string) bool {
	return len(a) == len(b) && strings.EqualFold(a, b)
}

// isName follows Azure's naming rules for resource groups, which allow more than those for other
// names in such an id: letters and digits of any script, and - _ . ( ), but no dot at the end.
func isName(s string) bool {
	if s == "" || len(s) > 360 || strings.HasSuffix(s, ".") {
		return false
	}
	for _, r := range s {
		if r == unicode.ReplacementChar || !unicode.IsLetter(r) && !unicode.IsDigit(r) &&
			!strings.ContainsRune("-_.()", r) {
			return false
		}
	}
	return true
}
