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
	"unicode/utf8"
)

const (
	maxWidth  = 100
	tabWidth  = 4
	longToken = 24 // bytes of a literal that a line may end late for
)

// TestWidth holds all Go to one width. A line may be longer for a string that is better in one
// piece, for a URL, and for a comment behind code, which a table of such comments has.
func TestWidth(t *testing.T) {
	isGo := func(path string, text []byte) bool { return filepath.Ext(path) == ".go" }
	if seen := reportTooWide(t, isGo, tooWide); seen < 500 {
		t.Fatal(seen)
	}
}

// reportTooWide looks at the files that are wanted, and returns their number.
func reportTooWide(t *testing.T, wanted func(path string, text []byte) bool,
	tooWide func(text []byte) (numbers []int)) (seen int) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains([]string{".git", "build"}, path) {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(filepath.Join("..", path))
		if err != nil || !wanted(path, text) {
			return err
		}
		seen++
		for _, line := range tooWide(text) {
			t.Errorf("%s:%d: longer than %d columns", path, line, maxWidth)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestTooWide(t *testing.T) {
	wide := strings.Repeat("x", maxWidth-12)
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
		if widthOf(line) > maxWidth && !excused[i+1] {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

func widthOf(line string) int {
	return utf8.RuneCountInString(line) + strings.Count(line, "\t")*(tabWidth-1)
}
