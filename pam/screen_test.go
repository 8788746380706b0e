// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"
)

// A picture needs a terminal, whose width it has, and a locale of UTF-8. A terminal without a width
// has the usual one.
func TestColumns(t *testing.T) {
	screen := harness(t, "screen", "-lutil")
	for _, test := range []struct{ locale, terminal, want string }{
		{"C.UTF-8", "80", "80"},
		{"C.UTF-8", "36", "36"},
		{"C.UTF-8", "65535", "65535"},
		{"C.UTF-8", "0", "80"},
		{"C.UTF-8", "none", "0"},
		{"C", "80", "0"},
		{"POSIX", "0", "0"},
		{"C", "none", "0"},
	} {
		got := play(t, screen, test.locale, test.terminal)
		if !slices.Equal(got, []string{test.want}) {
			t.Errorf("%s on a terminal of %s columns: %q, want %s", test.locale,
				test.terminal, got, test.want)
		}
	}
}
