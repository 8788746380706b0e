// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"
)

// The first of the three variables that is set counts, as in setlocale(3).
func TestIsUTF8(t *testing.T) {
	for _, test := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false},
		{"C.UTF-8", "", "", true},
		{"", "", "de_DE.utf8", true},
		{"", "en_US.UTF-8", "C", true},
		{"C", "en_US.UTF-8", "en_US.UTF-8", false},
		{"", "POSIX", "en_US.UTF-8", false},
		{"", "", "de_DE@euro", false},
		{"de_DE.UTF-8@euro", "", "", true},
	} {
		set := map[string]string{"LC_ALL": test.all, "LC_CTYPE": test.ctype, "LANG": test.lang}
		if got := isUTF8(func(key string) string { return set[key] }); got != test.want {
			t.Errorf("%v: %v", set, got)
		}
	}
}

func TestPictureAbove(t *testing.T) {
	const sentence = "Signing in.\nTo sign in, use a web browser to open the page " +
		"https://microsoft.com/devicelogin and enter the code X to authenticate."
	first := strings.Repeat("█", 37)
	for _, test := range []struct {
		name, prompt string
		p            *picture
		begin, says  string
	}{
		{"none is wanted", sentence, nil, "", ""},
		{"into a file", sentence, &picture{paper: &paper{}, utf8: true}, first + "\n", ""},
		{"in colour", sentence, &picture{paper: &paper{width: 60, colour: true}, utf8: true},
			"\x1b[38;5;231;48;5;16m" + first + "\x1b[0m\n", ""},
		{"too narrow", sentence, &picture{paper: &paper{width: 36}, utf8: true}, "",
			"aadctl: login: no QR code: the terminal's 36 columns are too few\n"},
		{"no UTF-8", sentence, &picture{paper: &paper{width: 60}}, "",
			"aadctl: login: no QR code: the locale is not one of UTF-8 (LC_ALL, LC_CTYPE, LANG)\n"},
		{"too long", strings.Replace(sentence, "devicelogin", strings.Repeat("a", 100), 1),
			&picture{paper: &paper{}, utf8: true}, "",
			"aadctl: login: no QR code: the address cannot be drawn\n"},
		{"not of ours", "Verification code: ", &picture{paper: &paper{}, utf8: true}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errout bytes.Buffer
			if test.p != nil {
				test.p.paper.w, test.p.notice = &out, &errout
			}
			test.p.above(test.prompt)
			if got := out.String(); !strings.HasPrefix(got, test.begin) ||
				test.begin == "" && got != "" {
				t.Errorf("drew\n%s", got)
			}
			if errout.String() != test.says {
				t.Errorf("said %q, want %q", errout.String(), test.says)
			}
			if test.p != nil { // without --qr there is no notice
				errout.Reset()
				test.p.notice = nil
				test.p.above(test.prompt)
			}
		})
	}
}
