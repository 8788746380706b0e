// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"plain", "user@contoso.example", "user@contoso.example"},
		{"empty", "", ""},
		{"other scripts", "Übung, 日本語, ελληνικά", "Übung, 日本語, ελληνικά"},
		{"a second line", "one\ntwo\r\nthree\tfour", "one two  three four"},
		{"ANSI colours", "\x1b[31mred\x1b[0m", "[31mred[0m"},
		{"a terminal's title", "\x1b]0;owned\x07rest", "]0;ownedrest"},
		{"C1 CSI", "a\u009b2Jb", "a2Jb"},
		{"NUL and DEL", "a\x00b\x7fc", "abc"},
		{"right-to-left override", "user\u202emoc.live@", "usermoc.live@"},
		{"isolates", "\u2066a\u2067b\u2069", "ab"},
		{"zero width", "con\u200bto\u200dso\ufeff", "contoso"},
		{"soft hyphen", "con\u00adtoso", "contoso"},
		{"line and paragraph separators", "a\u2028b\u2029c\u0085d", "abcd"},
		{"tags", "a\U000e0041b", "ab"},
		{"variation selectors", "a\ufe0fb\U000e0100c", "abc"},
		{"letters nobody sees", "a\u3164b\u115fc\uffa0d\u034fe", "abcde"},
		{"other spaces", "a\u00a0b\u3000c", "abc"},
		{"not UTF-8", "a\xff\xc0\xafb\xed\xa0\x80", "ab"},
		{"private use", "a\ue000b", "ab"},
		{"spaces around", "  a b  ", "a b"},
		{"as long as may be", "1234567890123456789012345678901234567890",
			"1234567890123456789012345678901234567890"},
		{"longer", "12345678901234567890123456789012345678901",
			"1234567890123456789012345678901234567890…"},
		{"longer in bytes only", strings.Repeat("ü", 40), strings.Repeat("ü", 40)},
		{"long, but of nothing", strings.Repeat("\x1b", 1000) + "a", "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := clean(test.in, 40); got != test.want {
				t.Errorf("clean(%q) = %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// safe returns what a terminal or a log would misunderstand in s.
func safe(s string) (problem string) {
	if !utf8.ValidString(s) {
		return "not UTF-8"
	}
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.C):
			return "control, format, private or surrogate"
		case unicode.In(r, unicode.Zl, unicode.Zp), unicode.In(r, unicode.Zs) && r != ' ':
			return "a line's end, or a space that is none"
		case unicode.In(r, unicode.Bidi_Control, unicode.Join_Control):
			return "reordering or joining"
		case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return "invisible"
		}
	}
	return ""
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{
		"", "plain", "a\nb\rc\td", "\x1b[2J", "\u202e\u2066\u200b\ufeff\u00ad",
		"\u2028\u2029\u0085", "\xff\xfe\xed\xa0\x80",
		"\u3164\u115f\u17b4", "  x  ", "12345678…", "\ufe0f\U000e0100", "é́́́", "\U0010ffff",
	} {
		f.Add(s, uint8(7))
	}
	f.Fuzz(func(t *testing.T, s string, max uint8) {
		got := clean(s, int(max))
		if problem := safe(got); problem != "" {
			t.Errorf("clean(%q) = %q: %s", s, got, problem)
		}
		n := utf8.RuneCountInString(got)
		if n > int(max)+1 || n == int(max)+1 && !strings.HasSuffix(got, "…") {
			t.Errorf("clean(%q, %d) = %q: %d runes", s, max, got, n)
		}
		if strings.TrimSpace(got) != got {
			t.Errorf("clean(%q) = %q: spaces around", s, got)
		}
		if again := clean(got, int(max)); again != got {
			t.Errorf("clean(%q) = %q, and once more: %q", s, got, again)
		}
	})
}
