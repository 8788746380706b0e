// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// The prose of the pages has one width. Tables, code, quoted sentences, pictures and an address
// that cannot be broken may be longer.
func TestPagesAreNotTooWide(t *testing.T) {
	all := pages(t)
	all["findings/README.md"] = textOf(t, "../findings/README.md")
	delete(all, "CHANGELOG.md")
	for page, text := range all {
		for _, line := range tooWideProse(text) {
			t.Errorf("%s: longer than 100 columns: %s", page, line)
		}
	}
}

func TestTooWideProse(t *testing.T) {
	word := strings.Repeat("x", 50)
	wide := word + " " + word
	for text, want := range map[string]bool{
		wide:                              true,
		"- " + wide:                       true,
		word + " " + word[1:]:             false,
		word + "é" + word[2:]:             false,
		"| " + wide + " |":                false,
		"> " + wide:                       false,
		"```sh\n" + wide + "\n```":        false,
		"```sh\n```\n" + wide:             true,
		"text\n\n    " + wide + "\n":      false,
		"  [" + word + word + "](https:)": false,
	} {
		if got := len(tooWideProse(text)) > 0; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func tooWideProse(text string) (wide []string) {
	exempt := regexp.MustCompile(`^( *[|>]| {4}|<img |!\[)|^ *\S+$`)
	for line := range strings.SplitSeq(fenced.ReplaceAllString(text, ""), "\n") {
		if utf8.RuneCountInString(line) > 100 && !exempt.MatchString(line) {
			wide = append(wide, line)
		}
	}
	return wide
}

// Each manual page begins with its date, its title and the name of this software, to which make
// install adds the version; and it has the sections that a reader looks for.
func TestManualPagesHaveHeads(t *testing.T) {
	found, err := filepath.Glob("../packaging/man/*")
	if err != nil || len(found) < 4 {
		t.Fatal(found, err)
	}
	for _, path := range found {
		section := strings.TrimPrefix(filepath.Ext(path), ".")
		name := strings.TrimSuffix(filepath.Base(path), "."+section)
		head := regexp.MustCompile(`\n\.Dd [A-Z][a-z]+ [0-9]{1,2}, 20[0-9]{2}\n(?:\.\\".*\n)?` +
			`\.ds doc-volume-operating-system aad-login\n` +
			regexp.QuoteMeta(".Dt "+strings.ToUpper(name)+" "+section) + `\n\.Os aad-login\n` +
			regexp.QuoteMeta(".Sh NAME\n.Nm "+name) + `\n\.Nd .+\n\.Sh SYNOPSIS\n(?s:.*)\n` +
			`\.Sh DESCRIPTION\n(?s:.*)\n\.Sh SEE ALSO\n`)
		if !head.MatchString(textOf(t, path)) {
			t.Errorf("%s does not begin as a manual page does, or lacks a section", path)
		}
	}
}
