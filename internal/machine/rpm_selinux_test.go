// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A policy that does not take the module is reported, and is no reason to stop. (What the module allows, "make selinux" asks.)
func TestSELinuxModuleIsNoCondition(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	stub := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(verb string) string { return must(t, "../../packaging/selinux/selinux-module", verb) }
	stub("restorecon", "exit 1")
	stub("semodule", "echo loaded anyway")
	stub("selinuxenabled", "exit 1")
	if out := run("add") + run("remove"); out != "" {
		t.Errorf("without SELinux it said %q", out)
	}
	stub("selinuxenabled", "")
	stub("semodule", "echo semodule $*")
	if out := run("add"); out != "semodule -i ../../packaging/selinux/aad_login.cil\n" {
		t.Errorf("it said %q", out)
	}
	stub("semodule", "[ $1 = -l ] && echo aad_login || echo semodule $*")
	if out := run("remove"); out != "semodule -r aad_login\n" {
		t.Errorf("it said %q", out)
	}
	stub("semodule", "[ $1 = -l ] && echo aad_login_of_another || { echo no such type; exit 1; }")
	if out := run("add"); !strings.HasPrefix(out, "no such type\naad-login: SELinux has not taken ") {
		t.Errorf("it said %q", out)
	}
	if out := run("remove"); out != "" {
		t.Errorf("it said %q", out)
	}
}
