// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text from elsewhere (Entra, Azure, the name somebody typed, a remote host's name)
// safe to show on a terminal and to log. The result is one line of valid UTF-8 without control
// characters or ANSI sequences (they start with one), and without bidirectional or invisible
// characters that could make it read as something else. It has at most max runes, and "…" for the
// rest.
func clean(s string, max int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			r = ' '
		case r == utf8.RuneError || !unicode.IsPrint(r) ||
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			// some letters and marks are invisible too: Hangul fillers, variation selectors
			continue
		}
		if n++; n > max {
			b.WriteString("…")
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
