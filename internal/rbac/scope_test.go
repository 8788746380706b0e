// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"strings"
	"testing"
)

func TestCovers(t *testing.T) {
	vm := mustResource(t, testVM)
	group := testVM[:strings.Index(testVM, "/providers")]
	for scope, want := range map[string]bool{
		testVM:                  true,
		testVM + "/":            true,
		strings.ToUpper(testVM): true,
		group:                   true,
		group + "/":             true,
		group[:strings.Index(group, "/resourceGroups")]: true,
		"/":                               true,
		managementGroups + "contoso":      true,
		managementGroups + "contoso/":     true,
		"":                                false,
		"//":                              false,
		"*":                               false,
		testVM[1:]:                        false,
		testVM + "0":                      false,
		testVM[:len(testVM)-1]:            false,
		testVM + "/extensions/x":          false,
		group[:len(group)-1]:              false,
		managementGroups:                  false,
		managementGroups + "a/b":          false,
		"/providers/Microsoft.Management": false,
		"/subscriptions":                  true, // Azure assigns nothing there
	} {
		if got := covers(scope, vm); got != want {
			t.Errorf("covers(%q) = %v", scope, got)
		}
	}
}
