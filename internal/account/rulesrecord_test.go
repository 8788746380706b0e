// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"slices"
	"testing"
)

// A version without a list of services wrote none. That is not an empty list: an upgrade must lock
// nobody out.
func TestSignInServices(t *testing.T) {
	for _, list := range [][]string{nil, {}, {"sshd"}, {"sshd", "sudo", "polkit-1"}} {
		rules := testRules()
		rules.SignInServices = list
		got, _, err := parseRules(rules.record())
		if err != nil || (got.SignInServices == nil) != (list == nil) ||
			!slices.Equal(got.SignInServices, list) || !got.Equal(rules) {
			t.Errorf("%q becomes %q, %v", list, got.SignInServices, err)
		}
		if other := testRules(); list != nil && other.Equal(rules) {
			t.Errorf("%q is the same as none", list)
		}
	}
	for _, content := range []string{"sshd", "sshd\x00sudo", "\x00", "a/b\x00"} {
		rules := testRules()
		rules.later = sections{signInServices: []byte(content)}
		if got, _, err := parseRules(rules.record()); err == nil {
			t.Errorf("%q is read as %q", content, got.SignInServices)
		}
	}
}
