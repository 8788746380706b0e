// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"regexp"
	"strings"
	"testing"
)

// lowerGUID matches what guidText accepts and returns unchanged, except for the placeholder.
func lowerGUID(s string) bool {
	id, p := guidText(s)
	return p == nil && id == s
}

// shapes states the rules as regular expressions. The product checks them byte by byte.
var shapes = map[*regexp.Regexp]func(string) bool{
	regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`): lowerGUID,
	regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`):                           isLabel,
	regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`):                             isPlainName,
	regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`):                                       isGroupName,
	regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,119}$`):                            isScopeName,
	regexp.MustCompile(`^[A-Za-z0-9_-]+$`):                                               isBareKey,
}

func compareShapes(t *testing.T, s string) {
	for shape, is := range shapes {
		if got, want := is(s), shape.MatchString(s); got != want {
			t.Errorf("%q: %v, want %v by %s", s, got, want, shape)
		}
	}
}

func TestShapes(t *testing.T) {
	const id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
	words := []string{
		"", "-", "_", ".", "a", "a-", "-a", "a.b", "a\n", "\na", "é", "aé", "a\x00", "a\xff",
		"sshd", "Sudo-i", "sign_in", "9", "A", "a b", id, strings.ToUpper(id), id + "0", id[1:],
		strings.ReplaceAll(id, "-", "_"), "g" + id[1:], id[:35] + "-", id[:8] + id[9:] + "0",
		strings.Repeat("-", 36),
	}
	for _, n := range []int{31, 32, 33, 61, 62, 63, 64, 65, 119, 120, 121} {
		words = append(words, strings.Repeat("a", n), "a"+strings.Repeat("-", n-2)+"a",
			strings.Repeat("a", n-1)+"-")
	}
	for _, s := range words {
		compareShapes(t, s)
	}
}

func FuzzShapes(f *testing.F) {
	f.Add("aaaabbbb-0000-cccc-1111-dddd2222eeee")
	f.Add("contoso-1")
	f.Fuzz(compareShapes)
}
