// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWidthOfText holds scripts, and all other text that has no rule of its own, to the width of
// Go. A line may be longer only if one long word or string stands at its last column and ends it.
func TestWidthOfText(t *testing.T) {
	if seen := reportTooWide(t, heldText, tooWideText); seen < 100 {
		t.Fatal(seen)
	}
}

// heldText returns whether a file has no rule of its own. Go, C, pages and manuals have one, and
// testdata is as other programs have written it.
func heldText(path string, text []byte) bool {
	elsewhere := []string{".go", ".c", ".h", ".md", ".json", ".sum", ".svg"}
	settings := path == "packaging/config.toml" // a key has one line, and the rest is narrower
	return !settings && !slices.Contains(elsewhere, filepath.Ext(path)) &&
		!slices.Contains(strings.Split(path, "/"), "testdata") &&
		!strings.HasPrefix(path, "packaging/man/") && bytes.IndexByte(text, 0) < 0
}

func TestTooWideText(t *testing.T) {
	short, long := strings.Repeat("ab ", 32), strings.Repeat("x", longToken)
	for text, want := range map[string]bool{
		short + "abcd":                        false,
		short + "abcde":                       true,
		"\t\t" + short:                        true,
		short + "https://" + long:             false,
		short + `"a string of ` + long + `"`:  false,
		short + `'a string of ` + long + "'":  false,
		short + `--option="a b c ` + long[9:]: true, // it ends on another line
		short + `"` + long + `" >&2`:          false,
		short + `"` + long + `" ` + long:      true,
		"# It's " + short[6:] + long:          false,
		"# It's " + short + "isn't a word":    true, // the apostrophes hold no string
		short + "äöüß":                        false,
	} {
		if got := len(tooWideText([]byte("short\n"+text))) > 0; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

var (
	comment = regexp.MustCompile(`^\s*(#|;|//|\*|/\*|<!)`)
	word    = regexp.MustCompile(`\S+`)
	pieces  = regexp.MustCompile(`("(\\.|[^"\\])*"|'[^']*'|[^\s"'])+`)
)

// tooWideText returns the numbers of the lines that are too long without a reason.
func tooWideText(text []byte) (numbers []int) {
	for i, line := range strings.Split(string(text), "\n") {
		if widthOf(line) > maxWidth && !endsInOnePiece(line) {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

func endsInOnePiece(line string) bool {
	split := pieces
	if comment.MatchString(line) {
		split = word
	}
	for _, m := range split.FindAllStringIndex(line, -1) {
		if widthOf(line[:m[0]]) < maxWidth && widthOf(line[:m[1]]) > maxWidth {
			return m[1]-m[0] >= longToken && len(line)-m[1] < longToken
		}
	}
	return false
}
