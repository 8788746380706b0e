// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"regexp"
	"strings"
	"testing"
)

func TestMatches(t *testing.T) {
	const login = "Microsoft.Compute/virtualMachines/login/action"
	for _, test := range []struct {
		pattern, action string
		want            bool
	}{
		{login, login, true},
		{strings.ToUpper(login), login, true},
		{login, login + "s", false},
		{login + "s", login, false},
		{"*", login, true},
		{"*", "", true},
		{"**", login, true},
		{"", "", true},
		{"", login, false},
		{"Microsoft.Compute/*", login, true},
		{"Microsoft.Compute/*/action", login, true},
		{"*/login/action", login, true},
		{"*/read", login, false},
		{"Microsoft.Compute/*/*/action", login, true},
		{"Microsoft.Compute/*/*/*/action", login, false},
		{"*Machines*log*ion", login, true},
		{"*login", login, false},
		{"a*a", "a", false},
		{"*ab", "aab", true},
		{"a*b*c", "abbbc", true},
		{"a*b*c", "acb", false},
		{"*aab*ab", "aaabaab", true},
		{"Microsoft?Compute/virtualMachines/login/action", login, false},
		{"microſoft.compute/virtualmachines/login/action", login, false},
	} {
		if got := matches(test.pattern, test.action); got != test.want {
			t.Errorf("matches(%q, %q) = %v", test.pattern, test.action, got)
		}
	}
}

// FuzzMatches compares with a second implementation: a regular expression.
func FuzzMatches(f *testing.F) {
	for _, seed := range [][2]string{
		{"*", ""}, {"a*b*c", "abbc"}, {"*ab", "aab"}, {"A*", "a/b"}, {"[*]", "[x]"},
		{"***a", "aaa"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, action string) {
		for _, s := range []string{pattern, action} {
			if len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) {
				return // regexp folds letters of all scripts
			}
		}
		parts := strings.Split(pattern, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		want := regexp.MustCompile(`(?is)^` + strings.Join(parts, ".*") + `$`).MatchString(action)
		if got := matches(pattern, action); got != want {
			t.Errorf("matches(%q, %q) = %v", pattern, action, got)
		}
	})
}
