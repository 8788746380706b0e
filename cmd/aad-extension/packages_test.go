// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
)

func TestRelations(t *testing.T) {
	for s, want := range map[string][2]string{
		"libc6 (>= 2.34)": {"libc6", ">= 2.34"}, " bash": {"bash", ""},
		"a:any (= 1:2-3) [amd64]": {"a", "= 1:2-3"}, "": {"", ""}, "a(<<1)": {"a", "<<1"},
	} {
		if name, relation := parseRelation(s); name != want[0] || relation != want[1] {
			t.Errorf("%q: %q, %q", s, name, relation)
		}
	}
	got := parseMissing("error: Failed dependencies:\n\tpam >= 1.3 is needed by " +
		"aad-login-0.1.0-1.x86_64\n\tlibx is needed by aad-login-0.1.0-1.x86_64\n")
	if !slices.Equal(got, []string{"pam >= 1.3", "libx"}) {
		t.Errorf("%q", got)
	}
}
