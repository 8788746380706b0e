// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// policyTools stand in for a policy's programs, which this machine has none of: what each does is a
// line of shell.
type policyTools struct {
	t   *testing.T
	dir string
}

func newPolicyTools(t *testing.T) policyTools {
	t.Helper()
	tools := policyTools{t, t.TempDir()}
	cil, err := filepath.Abs("../../../packaging/selinux/aad_login.cil")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CIL", cil)
	t.Setenv("PATH", tools.dir+":"+os.Getenv("PATH"))
	for name, does := range map[string]string{
		"semodule":   `case $1 in -l) echo abrt ;; -c) exit 1 ;; *) echo semodule $* ;; esac`,
		"restorecon": `echo restorecon $*`,
		"aadctl":     `echo aadctl $* >&2`,
	} {
		tools.stub(name, does)
	}
	return tools
}

func (p policyTools) stub(name, does string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte("#!/bin/sh\n"+does+"\n"),
		0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p policyTools) run(verb string) string {
	p.t.Helper()
	return rig.Must(p.t, "../../../packaging/selinux/selinux-module", verb)
}

// A policy that does not take the module is reported, and is no reason to stop. (What the module
// allows, "make selinux" asks.)
func TestSELinuxModuleIsNoCondition(t *testing.T) {
	const dir = "../../../packaging/selinux/"
	labels := "aadctl store relabel\n"
	if _, err := os.Stat("/usr/sbin/mkhomedir_helper"); err == nil {
		labels = "restorecon /usr/sbin/mkhomedir_helper\n" + labels
	}
	const (
		none     = `echo "semodule: SELinux policy is not managed or store cannot be accessed." >&2; exit 1`
		ours     = `case $1 in -l) printf 'abrt\taad_login\naad_login\t1.0\n' ;; -c) cp "$CIL" . ;; *) echo semodule $* ;; esac`
		older    = `case $1 in -l) echo aad_login ;; -c) echo ';; of an earlier version' >aad_login.cil ;; *) echo semodule $* ;; esac`
		anothers = `case $1 in -l) echo aad_login_of_another ;; *) echo no such type; exit 1 ;; esac`
		stubborn = `case $1 in -l) echo aad_login ;; *) exit 1 ;; esac`
	)
	for name, test := range map[string]struct{ semodule, verb, want string }{
		"no policy":           {none, "add", ""},
		"no policy, removed":  {none, "remove", ""},
		"a policy":            {"", "add", "semodule -i " + dir + "aad_login.cil\n" + labels},
		"loaded":              {ours, "add", labels},
		"an older one":        {older, "add", "semodule -i " + dir + "aad_login.cil\n" + labels},
		"not taken":           {anothers, "add", "no such type\naad-login: SELinux has not taken "},
		"removed":             {ours, "remove", "semodule -r aad_login\n" + labels},
		"another's is let be": {anothers, "remove", labels},
		"still there": {stubborn, "remove",
			"aad-login: the SELinux module aad_login is still there; run: semodule -r aad_login\n" +
				labels},
	} {
		t.Run(name, func(t *testing.T) {
			tools := newPolicyTools(t)
			if test.semodule != "" {
				tools.stub("semodule", test.semodule)
			}
			if out := tools.run(test.verb); !strings.HasPrefix(out, test.want) ||
				test.want == "" && out != "" {
				t.Errorf("it said %q, not %q", out, test.want)
			}
		})
	}
}

// Labels that could not be set are told, with what to do.
func TestSELinuxLabelsAreNoCondition(t *testing.T) {
	tools := newPolicyTools(t)
	tools.stub("aadctl", `echo "aadctl: store relabel: restorecon: not permitted" >&2; exit 1`)
	if out := tools.run("add"); !strings.Contains(out,
		"aadctl: store relabel: restorecon: not permitted\naad-login: the line above says "+
			"which files") ||
		!strings.HasSuffix(out, "then run: aadctl store relabel\n") {
		t.Errorf("it said %q", out)
	}
}
