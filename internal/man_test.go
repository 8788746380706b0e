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
				if filepath.Base(f.path) == "event.go" {
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

// logOfDoor reads the calls of the three functions that the C has for it.
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
		for _, call := range regexp.MustCompile(`(?s)\b(aad_failed|aad_denied|pair)\(([^;{]*)\);`).
			FindAllSubmatch(text, -1) {
			var said []string
			for _, argument := range strings.Split(string(call[2]), ",") {
				value, _ := strconv.Unquote(strings.TrimSpace(argument))
				said = append(said, value)
			}
			switch string(call[1]) {
			case "pair":
				w.add("key", said[1])
			case "aad_denied":
				w.add("reason", said[3])
			default:
				w.add("reason", said[4])
				w.addKeys(said[5:])
			}
		}
	}
}

// logOfManual reads the lists of pam_aad(8).
func logOfManual(t *testing.T) words {
	_, log, _ := strings.Cut(textOf(t, "../packaging/man/pam_aad.8"), "\n.Sh LOG\n")
	log, _, _ = strings.Cut(log, "\n.Sh ")
	page := words{}
	for kind, macro := range map[string]string{"verb": "Cm", "reason": "Sy", "key": "Va"} {
		for _, item := range regexp.MustCompile(`(?m)^\.It `+macro+` (\S+)`).
			FindAllStringSubmatch(log, -1) {
			page.add(kind, item[1])
		}
	}
	return page
}

// logOfWords reads the lists of docs/words.md: a comment says which kind follows, in a table or in
// a paragraph.
func logOfWords(t *testing.T) words {
	page := words{}
	lists := regexp.MustCompile(`(?s)<!-- (verb|key|reason)s -->\n(.*?)\n\n`)
	for _, list := range lists.FindAllStringSubmatch(pages(t)["docs/words.md"]+"\n", -1) {
		for line := range strings.Lines(list[2]) {
			if cells := strings.Split(line, "|"); len(cells) > 2 {
				line = cells[1]
			}
			for _, word := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
				page.add(list[1], word[1])
			}
		}
	}
	return page
}

// The manual page and docs/words.md name every verb, reason and key that the log may hold, and no
// other.
func TestPagesKnowTheLog(t *testing.T) {
	code := words{}
	logOfWorker(t, code)
	logOfDoor(t, code)
	for name, page := range map[string]words{"pam_aad(8)": logOfManual(t),
		"docs/words.md": logOfWords(t)} {
		for _, kind := range []string{"verb", "reason", "key"} {
			if len(code[kind]) < 5 {
				t.Errorf("%ss found in the code: %q", kind, code[kind])
			}
			for _, word := range code[kind] {
				if !slices.Contains(page[kind], word) {
					t.Errorf("%s does not name the %s %s", name, kind, word)
				}
			}
			for _, word := range page[kind] {
				if !slices.Contains(code[kind], word) {
					t.Errorf("%s names the %s %s, which nothing writes", name, kind, word)
				}
			}
		}
	}
}

// docs/words.md has the verb and the keys of the line that aadctl writes itself.
func TestWordsKnowTheLineOfAadctl(t *testing.T) {
	var code []string
	for _, f := range files(t) {
		if f.dir != "cmd/aadctl" || f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if name, ok := call.Fun.(*ast.Ident); ok && name.Name == "note" {
					all := literals(call.Args)
					code = append(code, all[0])
					for i := 1; i < len(all); i += 2 {
						code = append(code, all[i])
					}
				}
			}
			return true
		})
	}
	_, text, _ := strings.Cut(pages(t)["docs/words.md"], "\n### The line of aadctl\n")
	text, _, _ = strings.Cut(text, "\n#")
	var page []string
	for _, word := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(text, -1) {
		page = append(page, word[1])
	}
	if len(code) < 5 || !slices.Equal(page, code) {
		t.Errorf("the page has %q, the code %q", page, code)
	}
}

// docs/words.md promises the order of the keys that every line begins with.
func TestKeysOfEveryAttemptAreInOrder(t *testing.T) {
	line := regexp.MustCompile(`(?s)pairs := \[\]string\{(.*?)\}\n`).
		FindStringSubmatch(textOf(t, "signin/event.go"))
	if line == nil {
		t.Fatal("event.go makes no line")
	}
	var keys []string
	for _, key := range regexp.MustCompile(`"([a-z_]+)",`).FindAllStringSubmatch(line[1], -1) {
		keys = append(keys, key[1])
	}
	if got := logOfWords(t)["key"]; len(got) < len(keys) || len(keys) < 15 ||
		!slices.Equal(got[:len(keys)], keys) {
		t.Errorf("the page has %q,\nthe code %q", got, keys)
	}
}
