// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	widthOfGo = 100
	tabOfGo   = 4
	longToken = 24 // bytes of a literal that a line may end late for
)

// TestWidth holds all Go to one width. A line may be longer for a string that is better in one
// piece, for a URL, and for a comment behind code, which a table of such comments has.
func TestWidth(t *testing.T) {
	seen := 0
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains([]string{".git", "build"}, path) {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(filepath.Join("..", path))
		if err != nil {
			return err
		}
		seen++
		for _, line := range tooWide(text) {
			t.Errorf("%s:%d: longer than %d columns", path, line, widthOfGo)
		}
		return nil
	})
	if err != nil || seen < 500 {
		t.Fatal(seen, err)
	}
}

func TestTooWide(t *testing.T) {
	wide := strings.Repeat("x", widthOfGo-12)
	for text, want := range map[string]bool{
		"package p // " + wide:                     false, // behind code
		"// " + wide + " " + wide + "\npackage p":  true,
		"// https://" + wide + "/a\npackage p":     false,
		"package p\nvar a" + wide + " = 12345":     true,
		"package p\nvar a" + wide + " = 1234":      false,
		"package p\nvar a = \"" + wide + "\" + b":  false,
		"package p\nvar a = `\n" + wide + wide:     false,
		"package p\nfunc f() {\n\ta" + wide + "()": false,
		"package p\nfunc f(\n\t\t\ta" + wide + "=": true,
	} {
		if got := len(tooWide([]byte(text))) > 0; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// tooWide returns the numbers of the lines that are too long without a reason.
func tooWide(text []byte) (numbers []int) {
	excused := make(map[int]bool) // lines, by what is in them
	var s scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	s.Init(file, text, nil, scanner.ScanComments)
	lines := strings.Split(string(text), "\n")
	for {
		at, tok, literal := s.Scan()
		if tok == token.EOF {
			break
		}
		p := file.Position(at)
		behindCode := tok == token.COMMENT && strings.TrimSpace(lines[p.Line-1][:p.Column-1]) != ""
		oneWord := tok == token.COMMENT && strings.Contains(literal, "://")
		block := tok == token.COMMENT && strings.HasPrefix(literal, "/*") // C's own rules
		long := tok == token.STRING && (len(literal) > longToken || strings.Contains(literal, "\n"))
		for i := range strings.Count(literal, "\n") + 1 {
			excused[p.Line+i] = excused[p.Line+i] || behindCode || oneWord || block || long
		}
	}
	for i, line := range lines {
		columns := len([]rune(line)) + strings.Count(line, "\t")*(tabOfGo-1)
		if columns > widthOfGo && !excused[i+1] {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}
