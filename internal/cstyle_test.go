// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// cRules are the rules of the C in pam and nss that a line can break: kernel style, which readers
// of Linux-PAM and OpenSSH know. Declarations at the start of a block are a rule of the compiler
// (-Wdeclaration-after-statement), in the builds of both modules and of their tests.
var cRules = []struct {
	name   string
	breaks func(line string) bool
}{
	{"a comment is /* */", func(line string) bool { return slashes.MatchString(line) }},
	{"indentation is tabs, and four spaces in a continued line",
		matches(`^\t*( {1,3}|  {4,})[^ *]|^\t* +\t`)},
	{"no space at the end of a line", matches(`[ \t]$`)},
	{"predicates are int, 0 or 1", matches(`\bbool\b|(=|,|return) (true|false)\b|stdbool`)},
	{"the brace of a function begins a line", matches(`^[a-z].*\) \{$`)},
	{"the brace of a statement ends a line", matches(`^\t+\{$`)},
	{"static comes first", matches(`^(const|inline|volatile) static\b`)},
	{"a keyword is followed by a space", matches(`^\t*(if|for|while|switch)\(`)},
	{"return does not assign", matches(`\breturn\b[^;"]*[a-z] = `)},
	{"a line has 100 columns", func(line string) bool { return columns(line) > 100 }},
}

// slashes outside of strings and of /* */ begin a comment to the end of the line.
var slashes = regexp.MustCompile(`^([^"/*]|"([^"\\]|\\.)*"|/[^/*])*//`)

func matches(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }

// columns returns the width of a line with tab stops every eight columns.
func columns(line string) int {
	n := 0
	for _, r := range line {
		if n++; r == '\t' {
			n = (n + 7) / 8 * 8
		}
	}
	return n
}

func TestCStyle(t *testing.T) {
	seen := 0
	for _, dir := range []string{"pam", "nss"} {
		err := fs.WalkDir(os.DirFS(".."), dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".c" &&
				filepath.Ext(path) != ".h" {
				return err
			}
			text, err := os.ReadFile(filepath.Join("..", path))
			if err != nil {
				return err
			}
			seen++
			checkC(t, path, string(text))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 40 {
		t.Errorf("%d files", seen)
	}
}

func checkC(t *testing.T, path, text string) {
	t.Helper()
	const head = "/* SPDX-FileCopyrightText: The aad-login authors */\n/* " +
		"SPDX-License-Identifier: Apache-2.0 */\n\n"
	if !strings.HasPrefix(text, head) || !utf8.ValidString(text) || !strings.HasSuffix(text, "\n") {
		t.Errorf("%s: does not begin with the two lines of its licence", path)
	}
	for i, line := range strings.Split(text, "\n") {
		for _, r := range cRules {
			if r.breaks(line) {
				t.Errorf("%s:%d: %s: %s", path, i+1, r.name, line)
			}
		}
	}
}

// Each rule finds what it is for, and nothing in a line that keeps all of them.
func TestCRules(t *testing.T) {
	for broken, rule := range map[string]string{
		"\treturn 0; // done": "a comment is /* */",
		"    return 0;":       "",
		"  return 0;": "indentation is tabs, and four spaces in a " +
			"continued line",
		"\t        return 0;": "indentation is tabs, and four spaces in a " +
			"continued line",
		"\treturn 0; ":                       "no space at the end of a line",
		"static bool is(int n)":              "predicates are int, 0 or 1",
		"int f(void) {":                      "the brace of a function begins a line",
		"\t{":                                "the brace of a statement ends a line",
		"const static int n;":                "static comes first",
		"\tif(n)":                            "a keyword is followed by a space",
		"\treturn errno = EIO, -1;":          "return does not assign",
		"\t\t" + strings.Repeat("x", 85):     "a line has 100 columns",
		"\t\t" + strings.Repeat("x", 84):     "",
		"\tputs(\"https://a\");":             "",
		"/* https://a */":                    "",
		" * https://a":                       "",
		"\treturn n == 0 ? \"x = y\" : n;":   "",
		"\tfor (int i = 0; i < n; i++) {":    "",
		"\tstatic const int n[] = { 1, 2 };": "",
	} {
		for _, r := range cRules {
			if got := r.breaks(broken); got != (r.name == rule) {
				t.Errorf("%q: %s: %v", broken, r.name, got)
			}
		}
	}
}
