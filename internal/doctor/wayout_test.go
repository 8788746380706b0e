// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"aadlogin/internal/config"
)

// addsWayOut matches the functions that add a remedy to a failure, and the two methods.
var addsWayOut = regexp.MustCompile(`\.\s*(fix|run)\(|\b(rewire|reinstall|wayOut|damage)\(`)

// Every failure in the source has a remedy, in its own statement or added by its function
// afterwards. The functions that make failures for their callers are listed here, and their callers
// are checked instead.
func TestEveryFailureHasAWayOut(t *testing.T) {
	makers := map[string]string{"failedf": "failed", "keepsOut": "keepsOut", "wrong": "wrong"}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	failures := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || makers[f.Name.Name] != "" || f.Body == nil {
				continue
			}
			source := func(n ast.Node) string {
				return string(text[set.Position(n.Pos()).Offset:set.Position(n.End()).Offset])
			}
			var around []ast.Node
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if n == nil {
					around = around[:len(around)-1]
					return true
				}
				around = append(around, n)
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name, ok := call.Fun.(*ast.Ident)
				if !ok || !slices.Contains([]string{"failed", "failedf", "keepsOut"}, name.Name) {
					return true
				}
				failures++
				if !led(around, f.Body, source) {
					t.Errorf("%s: no way out of %s", set.Position(call.Pos()), source(call))
				}
				return true
			})
		}
	}
	if failures < 50 {
		t.Errorf("%d failures", failures)
	}
}

// led looks at the innermost statement around a failure. If that assigns the failure to a name, it
// looks at the following statements, too.
func led(around []ast.Node, body *ast.BlockStmt, source func(ast.Node) string) bool {
	for _, n := range slices.Backward(around) {
		statement, ok := n.(ast.Stmt)
		if !ok {
			continue
		}
		if addsWayOut.MatchString(source(statement)) {
			return true
		}
		if assign, ok := statement.(*ast.AssignStmt); ok {
			name, _ := assign.Lhs[0].(*ast.Ident)
			return name != nil && regexp.MustCompile(`\b`+name.Name+`\.\s*(fix|run)\(`).
				MatchString(source(body))
		}
		return false
	}
	return false
}

const arcMachine = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/rg/" +
	"providers/Microsoft.HybridCompute/machines/m1"

// A failure of the network is completed with the host that was asked.
func TestWayOut(t *testing.T) {
	c := &config.Config{TenantID: tenant}
	h := &Host{Config: c, System: System{Files: fstest.MapFS{}}}
	unreachable := failed(Unreachable, fmt.Sprint(errors.New("connection refused")))
	silent := failedf(Machine, "no answer within %v", limit).fix(hangs)
	for _, test := range []struct {
		check               string
		change              func(*config.Config)
		r                   Finding
		found, fix, command string
	}{
		{"openid", nil, unreachable, "refused", "root must reach https://login.microsoftonline.com",
			"curl -sSv -m 10 --noproxy '*' 'https://login"},
		{"keys", func(c *config.Config) { c.Endpoints.Proxy = "http://proxy:3128" }, unreachable,
			"refused", "endpoints.proxy, http://proxy:3128, must",
			"-x 'http://proxy:3128' 'https://login.microsoftonline.com/"},
		{"identity", func(c *config.Config) { c.Authorization.ResourceID = arcMachine }, silent,
			"no answer within 15s from http://127.0.0.1:40342", "the agent of Azure Arc",
			"azcmagent show"},
		{"machine", nil, silent, "no answer within 15s from http://169.254.169.254",
			"on a VM in Azure, let root reach it directly",
			"curl -sS -m 10 --noproxy '*' -H Metadata:true " +
				"'http://169.254.169.254/metadata/instance?"},
		{"openid", func(c *config.Config) { c.Endpoints.CAFile = "/etc/ca.pem" }, silent,
			"from https://login.microsoftonline.com", "root must",
			"--cacert /etc/ca.pem"},
		{"authorization", func(c *config.Config) { c.Cloud = "usgovernment" }, unreachable,
			"refused", "root must", "https://management.usgovcloudapi.net/"},
		{"machine", nil, failed(Configuration, "which cloud is this"), "cloud",
			"correct it in /etc/aad-login/config.toml", apply},
		{"identity", nil, unreachable.fix("assign one"), "refused", "assign one", ""},
		{"openid", nil, ok("fine"), "fine", "", ""},
	} {
		if *c = (config.Config{TenantID: tenant}); test.change != nil {
			test.change(c)
		}
		r := h.wayOut(test.check, test.r)
		if !strings.Contains(r.Found, test.found) || !strings.Contains(r.Fix, test.fix) ||
			!strings.Contains(r.Command, test.command) ||
			(test.command == "") != (r.Command == "") {
			t.Errorf("%s: %+v", test.check, r)
		}
	}
}
