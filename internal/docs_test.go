// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"fmt"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pages are README.md and all below docs/, by their path from the module's root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"../*.md", "../docs/*.md", "../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || found == nil {
			t.Fatal(pattern, err)
		}
		for _, path := range found {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[strings.TrimPrefix(path, "../")] = string(text)
		}
	}
	return all
}

func TestReadmeIsShort(t *testing.T) {
	if n := strings.Count(pages(t)["README.md"], "\n"); n > 300 {
		t.Errorf("README.md has %d lines: move depth into docs/", n)
	}
}

var (
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	anchor  = regexp.MustCompile(`<a id="([^"]+)"></a>`)
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"`)
)

// anchors are what may stand behind the # of a link to a page, as GitHub makes them of headings.
func anchors(text string) (all []string) {
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		slug := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(slug, " ", "-"))
	}
	for _, m := range anchor.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// Every link within the project leads somewhere, and every page of docs/ is in its index.
func TestLinksOfPages(t *testing.T) {
	all := pages(t)
	linked := map[string]bool{"docs/README.md": true}
	for page, text := range all {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			target, place, _ := strings.Cut(m[1]+m[2], "#")
			if strings.Contains(target, "://") {
				continue
			}
			to := page
			if target != "" {
				to = filepath.Join(filepath.Dir(page), target)
			}
			if page == "docs/README.md" {
				linked[to] = true
			}
			if _, err := os.Stat(filepath.Join("..", to)); err != nil {
				t.Errorf("%s: %s: %v", page, m[0], err)
			} else if place != "" && !slices.Contains(anchors(all[to]), place) {
				t.Errorf("%s: %s: %s has no such heading", page, m[0], to)
			}
		}
	}
	for page := range all {
		if strings.HasPrefix(page, "docs/") && !linked[page] {
			t.Errorf("docs/README.md does not lead to %s", page)
		}
	}
}

// code is what stands in a page as such: blocks and spans.
func code(text string) string {
	blocks := fenced.FindAllString(text, -1)
	spans := regexp.MustCompile("`[^`\n]+`").FindAllString(fenced.ReplaceAllString(text, ""), -1)
	return strings.Join(append(blocks, spans...), "\n")
}

// What pages name of this project is there: make targets and files.
func TestNamesInPages(t *testing.T) {
	text, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	makefile := strings.ReplaceAll(string(text), "\\\n", "")
	targets := regexp.MustCompile(`(?m)^\.PHONY: (.*)$`).FindStringSubmatch(makefile)
	if targets == nil {
		t.Fatal("the Makefile says of no target that it is one")
	}
	named := map[string]bool{}
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile("(?m)(?:^ *|`|&& |\\$ )make ([a-z0-9-]+)").
			FindAllStringSubmatch(code(text), -1) {
			if named[m[1]] = true; !slices.Contains(strings.Fields(targets[1]), m[1]) {
				t.Errorf("%s: make %s is no target", page, m[1])
			}
		}
		for _, m := range regexp.MustCompile("`((?:cmd|docs|internal|nss|packaging|pam|testdata|\\.ci)/[^` ]*)").FindAllStringSubmatch(text, -1) {
			if found, err := filepath.Glob(filepath.Join("..", m[1])); err != nil || found == nil {
				t.Errorf("%s: there is no %s", page, m[1])
			}
		}
	}
	for _, target := range strings.Fields(targets[1]) {
		// those are the packages' own
		if target != "all" && !strings.HasPrefix(target, "stage-") && !named[target] {
			t.Errorf("no page names make %s", target)
		}
	}
}

// constants are the strings of internal/signin that have a name.
func constants(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for range 2 { // one may be made of another
		for _, f := range files(t) {
			if f.dir != "internal/signin" || f.test {
				continue
			}
			ast.Inspect(f.ast, func(n ast.Node) bool {
				if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) {
					for i, name := range spec.Names {
						if text, ok := templateOf(spec.Values[i], all); ok {
							all[name.Name] = text
						}
					}
				}
				return true
			})
		}
	}
	return all
}

// blank stands in a template for what is only known when it is said.
const blank = "\x00"

// templateOf is a string as the code puts it together. ok is false where nothing of it is known.
func templateOf(e ast.Expr, known map[string]string) (text string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		text, ok = known[e.Name]
		return text, ok
	case *ast.BinaryExpr:
		left, ok := templateOf(e.X, known)
		right, too := templateOf(e.Y, known)
		return left + right, ok || too
	case *ast.CallExpr:
		if f, is := e.Fun.(*ast.SelectorExpr); !is || f.Sel.Name != "Sprintf" {
			return blank, false
		}
		format, ok := templateOf(e.Args[0], known)
		for _, argument := range e.Args[1:] {
			value, known := templateOf(argument, known)
			if !known {
				value = blank
			}
			format = regexp.MustCompile(`%[sdv]`).ReplaceAllLiteralString(format, "%s")
			format = strings.Replace(format, "%s", value, 1)
		}
		return format, ok
	}
	return blank, false
}

// saidByWorker knows where internal/signin keeps what people read.
func saidByWorker(t *testing.T) (sentences, services []string) {
	t.Helper()
	known := constants(t)
	say := func(e ast.Expr) {
		if text, ok := templateOf(e, known); ok && strings.Trim(text, " \n"+blank) != "" {
			for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
				sentences = append(sentences, strings.TrimSpace(line))
			}
		}
	}
	for _, f := range files(t) {
		if f.dir != "internal/signin" || f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			function, _ := d.(*ast.FuncDecl)
			ast.Inspect(d, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					called, ok := n.Fun.(*ast.SelectorExpr)
					switch {
					case ok && called.Sel.Name == "refuse":
						say(n.Args[1])
					case ok && called.Sel.Name == "cannotReach":
						if service, ok := templateOf(n.Args[0], known); ok {
							services = append(services, service)
						}
					case function != nil &&
						slices.Contains([]string{"greeting", "sentence", "before", "askAgain"},
							function.Name.Name):
						say(n)
					}
				case *ast.AssignStmt: // of the variables that refuse is given
					for i, left := range n.Lhs {
						if name, ok := left.(*ast.Ident); ok && name.Name == "person" &&
							len(n.Rhs) == len(n.Lhs) {
							say(n.Rhs[i])
						}
					}
				case *ast.KeyValueExpr: // the one that ends all of them
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "person" {
						say(n.Value)
					}
				// of a table of errors: where the administrator is meant, the person reads the fix
				// as well
				case *ast.CompositeLit:
					if field(n, "verdict") == "Misconfigured" {
						for _, e := range n.Elts {
							if pair, ok := e.(*ast.KeyValueExpr); ok &&
								pair.Key.(*ast.Ident).Name == "fix" {
								say(pair.Value)
							}
						}
					}
				}
				return true
			})
		}
	}
	return sentences, services
}

// field is the name that a composite literal gives a field for its value; "" if none.
func field(c *ast.CompositeLit, name string) string {
	for _, e := range c.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok {
			key, is := pair.Key.(*ast.Ident)
			value, named := pair.Value.(*ast.Ident)
			if is && named && key.Name == name {
				return value.Name
			}
		}
	}
	return ""
}

// saidByDoor are the sentences of the C, for what no worker can say.
func saidByDoor(t *testing.T) (sentences []string) {
	t.Helper()
	sources, err := filepath.Glob("../pam/*.c")
	if err != nil || sources == nil {
		t.Fatal(sources, err)
	}
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?s)(?:sentence = |pam_(?:error|info|prompt)\(h, )((?:"[^"]*"\s*)+)`).FindAllStringSubmatch(string(text), -1) {
			var whole string
			for _, part := range regexp.MustCompile(`"[^"]*"`).FindAllString(m[1], -1) {
				unquoted, err := strconv.Unquote(part)
				if err != nil {
					t.Fatal(path, err)
				}
				whole += unquoted
			}
			for _, sentence := range strings.Split(strings.ReplaceAll(whole, "%s", blank), "\n") {
				if strings.Trim(sentence, blank) != "" {
					sentences = append(sentences, sentence)
				}
			}
		}
	}
	return sentences
}

// entries are what docs/troubleshooting.md says that people read: quotations, and the first column
// of tables with that heading.
func entries(t *testing.T) (all []string) {
	t.Helper()
	text := pages(t)["docs/troubleshooting.md"]
	table := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		table = strings.HasPrefix(line, "| you read |") || table && strings.HasPrefix(line, "|")
		if quoted, ok := strings.CutPrefix(line, "> "); ok {
			all = append(all, strings.ReplaceAll(quoted, "*", ""))
		} else if m := regexp.MustCompile("^\\| `([^`]*)` \\|").FindStringSubmatch(line); table &&
			m != nil {
			all = append(all, m[1])
		}
	}
	return all
}

func expression(template string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(template), blank, `.+`)
}

// The page has every sentence that a person may read, and none that nothing says.
func TestTroubleshootingKnowsEverySentence(t *testing.T) {
	sentences, services := saidByWorker(t)
	sentences = append(sentences, saidByDoor(t)...)
	slices.Sort(sentences)
	sentences = slices.Compact(sentences)
	quoted := entries(t)
	if len(sentences) < 50 || len(services) < 4 || len(quoted) < 50 {
		t.Fatalf("%d sentences, %d services, %d entries", len(sentences),
			len(services), len(quoted))
	}
	var any []string
	for _, sentence := range sentences {
		any = append(any, expression(sentence))
		re := regexp.MustCompile(`(?:^|[.:] )` + expression(sentence) + `(?: [A-Z]|$)`)
		if !slices.ContainsFunc(quoted, re.MatchString) {
			t.Errorf("docs/troubleshooting.md does not have: %s",
				strings.ReplaceAll(sentence, blank, "…"))
		}
	}
	whole := regexp.MustCompile(fmt.Sprintf(`^(?:%s)(?: (?:%[1]s))*$`, strings.Join(any, "|")))
	for _, entry := range quoted {
		if !whole.MatchString(entry) {
			t.Errorf("nothing says: %s", entry)
		}
	}
	page := strings.Join(strings.Fields(pages(t)["docs/troubleshooting.md"]), " ")
	for _, file := range files(t) {
		if file.path == "internal/azure/certificate.go" {
			services = append(services, problems(file.ast)...)
		}
	}
	for _, name := range services {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/troubleshooting.md does not have: %s", name)
		}
	}
}

// problems are what is said of a certificate.
func problems(f *ast.File) (all []string) {
	for _, d := range f.Decls {
		if function, ok := d.(*ast.FuncDecl); ok && function.Name.Name == "problem" {
			ast.Inspect(function, func(n ast.Node) bool {
				if r, ok := n.(*ast.ReturnStmt); ok {
					all = append(all, literals(r.Results)...)
				}
				return true
			})
		}
	}
	return all
}
