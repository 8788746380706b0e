// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// house is one Go file of the module.
type house struct {
	path string // from the module's root
	dir  string
	test bool
	ast  *ast.File
}

const module = "aadlogin/"

func files(t *testing.T) []house {
	t.Helper()
	var all []house
	set := token.NewFileSet()
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (path == "build" || path == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go"):
			return nil
		}
		parsed, err := parser.ParseFile(set, filepath.Join("..", path), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, house{path, filepath.Dir(path), strings.HasSuffix(path, "_test.go"),
			parsed})
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d files, %v", len(all), err)
	}
	return all
}

func (f house) imports() []string {
	var all []string
	for _, i := range f.ast.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		all = append(all, path)
	}
	return all
}

// may says which packages of ours a package may import. Imports point one way: pam, cmd → signin →
// the rest; what is not listed imports nothing of ours.
var may = map[string][]string{
	"cmd/aadctl": {"internal/account", "internal/authlog", "internal/azcli",
		"internal/azure", "internal/config", "internal/doctor", "internal/guid", "internal/metrics",
		"internal/rbac", "internal/report", "internal/shell", "internal/signin", "internal/sshd",
		"packaging/sign-in-page"},
	"cmd/aad-emulator":  {"internal/emulator"},
	"cmd/aad-extension": {"internal/config"},
	"pam":               {"internal/config", "internal/signin", "nss"},
	"internal/doctor": {"internal/account", "internal/azcli", "internal/azure",
		"internal/config", "internal/oauth", "internal/rbac", "internal/shell", "internal/signin",
		"internal/sshd", "packaging/sign-in-page"},
	"internal/metrics": {"internal/authlog"},
	"internal/report":  {"internal/authlog", "internal/doctor"},
	"internal/signin": {"internal/account", "internal/azcli", "internal/authcode",
		"internal/azure", "internal/cache", "internal/config", "internal/devicecode",
		"internal/oauth", "internal/pasted", "internal/qr", "internal/rbac", "internal/shell",
		"internal/sshd", "internal/token"},
	"internal/account": {"internal/cdb", "internal/config", "internal/shell"},
	"internal/azure":   {"internal/foreign", "internal/retry"},
	"internal/config":  {"internal/guid"},
	"internal/azcli":   {"internal/rbac"},
	"internal/rbac":    {"internal/azure", "internal/foreign", "internal/guid"},
	"internal/token": {"internal/cache", "internal/foreign",
		"internal/guid", "internal/retry"},
	"internal/devicecode": {"internal/oauth", "internal/retry"},
	"internal/authcode":   {"internal/oauth", "internal/retry"},
	"internal/oauth":      {"internal/foreign", "internal/retry"},

	// for tests of the machine, see house_machine_test.go
	rig: {"internal/emulator", "internal/pasted", "packaging/sign-in-page"},
}

func TestImportsPointOneWay(t *testing.T) {
	for _, f := range files(t) {
		if f.test {
			continue
		}
		for _, path := range f.imports() {
			if ours, ok := strings.CutPrefix(path, module); ok &&
				!slices.Contains(may[f.dir], ours) {
				t.Errorf("%s imports %s", f.path, ours)
			}
		}
	}
}

// The emulator stands in for what is tested: sharing code with it would make a mistake agree with
// itself.
func TestEmulatorStandsAlone(t *testing.T) {
	for _, f := range files(t) {
		for _, path := range f.imports() {
			if f.dir == "internal/emulator" && strings.HasPrefix(path, module) {
				t.Errorf("%s imports %s", f.path, path)
			}
			if path == module+"internal/emulator" && !f.test && f.dir != "cmd/aad-emulator" &&
				f.dir != rig {
				t.Errorf("%s imports the emulator", f.path)
			}
		}
	}
}

func TestCgoOnlyInPamAndNss(t *testing.T) {
	for _, f := range files(t) {
		if slices.Contains(f.imports(), "C") && f.dir != "pam" && f.dir != "nss" {
			t.Errorf("%s is cgo", f.path)
		}
	}
}

// forbidden is what a root process inside sshd and sudo must not do, by the name it would have in
// the code. os/exec: no child with our rights. os.Getenv: the environment is the attacker's. A
// package-level logger or init: work nobody asked for, in every process.
func TestForbidden(t *testing.T) {
	for _, f := range files(t) {
		product := strings.HasPrefix(f.dir, "internal/") && !strings.HasPrefix(f.dir, onMachine) ||
			f.dir == "pam"
		if f.test || !product {
			continue
		}
		for _, path := range f.imports() {
			if path == "os/exec" || path == "log" && f.dir != "internal/emulator" ||
				path == "log/slog" {
				t.Errorf("%s imports %s", f.path, path)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s has an init function", f.path)
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "os" &&
					slices.Contains([]string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"},
						n.Sel.Name) {
					t.Errorf("%s reads the environment", f.path)
				}
			}
			return true
		})
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	doc := map[string]bool{}
	for _, f := range files(t) {
		if !f.test {
			doc[f.dir] = doc[f.dir] || f.ast.Doc != nil
		}
		if slices.Contains([]string{"util", "utils", "common", "types", "helpers", "consts",
			"misc"}, f.ast.Name.Name) {
			t.Errorf("%s: package %s is named after nothing", f.path, f.ast.Name.Name)
		}
	}
	for dir, has := range doc {
		if !has {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func TestEveryFileHasItsHeader(t *testing.T) {
	n := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "build" || d.Name() == ".git" || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains([]string{".go", ".c", ".h"}, filepath.Ext(path)) {
			return nil
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		head, _, _ := strings.Cut(string(text), "\n\n")
		if !strings.Contains(head, "SPDX-FileCopyrightText: The aad-login authors") ||
			!strings.Contains(head, "SPDX-License-Identifier: Apache-2.0") {
			t.Errorf("%s lacks the licence header", path)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files, %v", n, err)
	}
}
