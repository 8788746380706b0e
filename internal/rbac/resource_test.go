// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseResource(t *testing.T) {
	const group = "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg"
	const compute = group + "/providers/Microsoft.Compute/"
	tests := []struct {
		id     string
		action string // "": refused
	}{
		{testVM, "Microsoft.Compute/virtualMachines/login/action"},
		{testVM + "/", "Microsoft.Compute/virtualMachines/login/action"},
		{strings.ToLower(testVM), "Microsoft.Compute/virtualMachines/login/action"},
		{strings.ToUpper(testVM), "Microsoft.Compute/virtualMachines/login/action"},
		{compute + "virtualMachineScaleSets/ss/virtualMachines/0",
			"Microsoft.Compute/virtualMachines/login/action"},
		{group + "/providers/Microsoft.HybridCompute/machines/m1",
			"Microsoft.HybridCompute/machines/login/action"},
		{strings.Replace(testVM, "/rg/", "/rg.é(1)_x-2/", 1),
			"Microsoft.Compute/virtualMachines/login/action"},

		{"", ""},
		{"/", ""},
		{group, ""},
		{testVM[1:], ""},
		{"https://management.azure.com" + testVM, ""},
		{compute + "virtualMachineScaleSets/ss", ""},
		{compute + "disks/d", ""},
		{testVM + "/extensions/x", ""},
		{testVM + "//", ""},
		{compute + "virtualMachines/", ""},
		{compute + "virtualMachines/..", ""},
		{compute + "virtualMachines/.", ""},
		{compute + "virtualMachines/vm%2e", ""},
		{compute + "virtualMachines/vm?api-version=1", ""},
		{compute + "virtualMachines/vm#x", ""},
		{compute + "virtualMachines/vm\n", ""},
		{compute + "virtualMachines/vm\u202e", ""},
		{compute + "virtualMachines/vm\xff", ""},
		{compute + "virtualMachines/v m", ""},
		{compute + "virtualMachines/" + strings.Repeat("v", 1024), ""},
		{strings.Replace(testVM, "/rg/", "/../", 1), ""},
		{strings.Replace(testVM, "11111111", "1111111g", 1), ""},
		{strings.Replace(testVM, "resourceGroups", "resourcegroup", 1), ""},
		{"/x" + testVM, ""},
		{strings.Replace(testVM, "/subscriptions", "/ſubscriptions", 1), ""},
		{compute + "virtualMachineſ/vm1", ""},
	}
	for _, test := range tests {
		r, err := ParseResource(test.id)
		if (err == nil) != (test.action != "") || r.Actions().Login != test.action {
			t.Errorf("ParseResource(%q) = %v, %v", test.id, r.Actions(), err)
		}
		if r.OnArc() != strings.HasPrefix(test.action, "Microsoft.HybridCompute/") {
			t.Errorf("%q on Arc: %v", test.id, r.OnArc())
		}
		if err == nil && r.String() != strings.TrimSuffix(test.id, "/") {
			t.Errorf("%q became %q", test.id, r)
		}
	}
}

// FuzzParseResource checks that an accepted id stays the same in a URL's path.
func FuzzParseResource(f *testing.F) {
	f.Add(testVM)
	f.Add(testVM + "/../../x")
	f.Add(strings.Replace(testVM,
		"virtualMachines", "virtualMachineScaleSets/s/virtualMachines", 1))
	f.Fuzz(func(t *testing.T, id string) {
		r, err := ParseResource(id)
		if err != nil {
			return
		}
		u, err := url.Parse("https://management.azure.com")
		if err != nil {
			t.Fatal(err)
		}
		u.Path = r.String() + "/providers/x"
		again, err := url.Parse(u.String())
		if err != nil || again.Path != u.Path || again.Host != u.Host || again.RawQuery != "" ||
			again.JoinPath().Path != u.Path {
			t.Errorf("%q in a URL: %q, %v", id, u, err)
		}
		if same, err := ParseResource(r.String()); err != nil || same != r {
			t.Errorf("%q parsed again: %v, %v", r, same, err)
		}
	})
}

// An instance of a uniform scale set can be replaced at any time, so no lasting assignment is made
// to it.
func TestScopeOfAMachine(t *testing.T) {
	const group = "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg/providers/"
	for id, want := range map[string]string{
		testVM:       testVM,
		testVM + "/": testVM,
		group + "Microsoft.Compute/virtualMachineScaleSets/ss/virtualMachines/0": group +
			"Microsoft.Compute/virtualMachineScaleSets/ss",
		group + "microsoft.compute/VIRTUALMACHINESCALESETS/s.s/VirtualMachines/12/": group +
			"microsoft.compute/VIRTUALMACHINESCALESETS/s.s",
		// of a flexible set
		group + "Microsoft.Compute/virtualMachines/ss_1a2b3c4d": group +
			"Microsoft.Compute/virtualMachines/ss_1a2b3c4d",
		group + "Microsoft.Compute/virtualMachines/virtualMachines": group +
			"Microsoft.Compute/virtualMachines/virtualMachines",
		group + "Microsoft.HybridCompute/machines/m1": group +
			"Microsoft.HybridCompute/machines/m1",
	} {
		r, err := ParseResource(id)
		if err != nil || r.Scope() != want ||
			r.InScaleSet() != strings.Contains(strings.ToLower(id), "scalesets/") {
			t.Errorf("%s: %s, %v, %v", id, r.Scope(), r.InScaleSet(), err)
		}
	}
}
