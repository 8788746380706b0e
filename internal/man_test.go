// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// words are what the log may hold: verbs, reasons, keys.
type words map[string][]string

func (w words) add(kind string, all ...string) {
	for _, word := range all {
		if word != "" && !slices.Contains(w[kind], word) {
			w[kind] = append(w[kind], word)
		}
	}
}

// addKeys takes key, value, key, value.
func (w words) addKeys(pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		w.add("key", pairs[i])
	}
}

// literals are the values of strings; "" stands for what is none.
func literals(all []ast.Expr) []string {
	values := make([]string, len(all))
	for i, e := range all {
		if literal, ok := e.(*ast.BasicLit); ok {
			values[i], _ = strconv.Unquote(literal.Value)
		}
	}
	return values
}

// logOfWorker knows the few functions of internal/signin that everything logged goes through.
func logOfWorker(t *testing.T, w words) {
	for _, f := range files(t) {
		if f.dir != "internal/signin" || f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if called, ok := n.Fun.(*ast.SelectorExpr); ok {
					w.called(called.Sel.Name, literals(n.Args))
				}
			case *ast.CompositeLit:
				if filepath.Base(f.path) == "finding.go" {
					w.addKeys(literals(n.Elts))
				}
			case *ast.FuncDecl:
				w.returned(n)
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if name, ok := left.(*ast.Ident); ok && name.Name == "reason" {
						w.add("reason", literals(n.Rhs)[i])
					}
				}
			}
			return true
		})
	}
}

// returned looks into the functions that return a verb or pairs.
func (w words) returned(f *ast.FuncDecl) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ReturnStmt:
			if f.Name.Name == "said" {
				w.add("verb", literals(n.Results)...)
			}
		case *ast.CompositeLit:
			if f.Name.Name == "pairs" {
				w.addKeys(literals(n.Elts))
			}
		}
		return true
	})
}

func (w words) called(function string, arguments []string) {
	switch function {
	case "refuse":
		w.add("reason", arguments[2])
		w.addKeys(arguments[3:])
	case "unforeseen":
		w.add("reason", arguments[0])
	case "run":
		w.add("verb", arguments[0])
	case "log":
		w.add("verb", arguments[1])
		w.addKeys(arguments[2:])
	case "debug":
		w.addKeys(arguments[1:])
	}
}

// logOfDoor reads the calls of the two functions that the C has for it.
func logOfDoor(t *testing.T, w words) {
	sources, err := filepath.Glob("../pam/*.c")
	if err != nil || sources == nil {
		t.Fatal(sources, err)
	}
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range regexp.MustCompile(`(?s)\b(aad_failed|pair)\(([^;]*)\);`).FindAllSubmatch(text, -1) {
			var said []string
			for _, argument := range strings.Split(string(call[2]), ",") {
				value, _ := strconv.Unquote(strings.TrimSpace(argument))
				said = append(said, value)
			}
			if string(call[1]) == "pair" {
				w.add("key", said[1])
			} else {
				w.add("reason", said[4])
				w.addKeys(said[5:])
			}
		}
	}
}

// The manual page names every verb, reason and key that the log may hold, and no other.
func TestManualPageKnowsTheLog(t *testing.T) {
	code, page := words{}, words{}
	logOfWorker(t, code)
	logOfDoor(t, code)
	text, err := os.ReadFile("../packaging/man/pam_aad.8")
	if err != nil {
		t.Fatal(err)
	}
	_, log, _ := strings.Cut(string(text), "\n.Sh LOG\n")
	log, _, _ = strings.Cut(log, "\n.Sh ")
	for kind, macro := range map[string]string{"verb": "Cm", "reason": "Sy", "key": "Va"} {
		for _, item := range regexp.MustCompile(`(?m)^\.It `+macro+` (\S+)`).FindAllStringSubmatch(log, -1) {
			page.add(kind, item[1])
		}
		if len(code[kind]) < 5 {
			t.Errorf("%ss found in the code: %q", kind, code[kind])
		}
		for _, word := range code[kind] {
			if !slices.Contains(page[kind], word) {
				t.Errorf("the manual page does not name the %s %s", kind, word)
			}
		}
		for _, word := range page[kind] {
			if !slices.Contains(code[kind], word) {
				t.Errorf("the manual page names the %s %s, which nothing writes", kind, word)
			}
		}
	}
}
