// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// listed are the permissions in testdata/selinux/rules, as "source target class permission", and
// whether each was seen used.
func listed(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("testdata/selinux/rules")
	if err != nil {
		t.Fatal(err)
	}
	all, rule := map[string]bool{}, ""
	for line := range strings.Lines(string(text)) {
		switch reason, permissions, found := strings.Cut(strings.TrimSpace(line), ": "); {
		case strings.HasPrefix(line, "#"):
		case line[0] != '\t':
			rule = strings.TrimSpace(line)
		case !found || rule == "":
			t.Fatalf("no rule, or no reason: %s", line)
		default:
			for _, permission := range strings.Fields(permissions) {
				if _, twice := all[rule+" "+permission]; twice {
					t.Errorf("twice: %s %s", rule, permission)
				}
				all[rule+" "+permission] = reason == "seen"
			}
		}
	}
	return all
}

// No permission is in the module but those that have been used, or have their reason: each stands
// in the list, and the list has no other.
func TestSELinuxRules(t *testing.T) {
	text, err := os.ReadFile("../../../packaging/selinux/aad_login.cil")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`;[^\n]*`).ReplaceAllString(string(text), "")
	rules := regexp.MustCompile(`\(allow\s+(\S+)\s+(\S+)\s+\((\S+)\s+\(([^()]*)\)\)\)`).
		FindAllStringSubmatch(code, -1)
	if len(rules) < 30 || len(rules) != strings.Count(code, "(allow ") {
		t.Fatalf("%d rules were understood, of %d", len(rules), strings.Count(code, "(allow "))
	}
	list := listed(t)
	for _, r := range rules {
		for _, permission := range strings.Fields(r[4]) {
			name := strings.Join(append(r[1:4:4], permission), " ")
			if _, found := list[name]; !found {
				t.Errorf("not in the list: %s", name)
			}
			delete(list, name)
		}
	}
	for name := range list {
		t.Errorf("in the list, and not in the module: %s", name)
	}
}

var granted = regexp.MustCompile(`avc: +granted +\{([^}]*)\}.* scontext=[^: ]*:[^: ]*:([^: ]*)\S* tcontext=[^: ]*:[^: ]*:([^: ]*)\S* tclass=(\w+)`)

// uses are the permissions that an audit log says were used, as "target class permission", where a
// target that is the source is self.
func uses(log string) map[string]bool {
	all := map[string]bool{}
	for _, m := range granted.FindAllStringSubmatch(log, -1) {
		target := m[3]
		if m[2] == target {
			target = "self"
		}
		for _, permission := range strings.Fields(m[1]) {
			all[target+" "+m[4]+" "+permission] = true
		}
	}
	return all
}

func TestUses(t *testing.T) {
	got := uses(`type=AVC msg=audit(1.1:1): avc:  granted  { read open } for  pid=1 comm="sshd" scontext=system_u:system_r:sshd_t:s0-s0:c0.c1023 tcontext=system_u:object_r:cert_t:s0 tclass=file
type=AVC msg=audit(1.1:2): avc:  granted  { fork } for  pid=1 comm="sshd" scontext=system_u:system_r:sshd_t:s0 tcontext=system_u:system_r:sshd_t:s0 tclass=process
type=AVC msg=audit(1.1:3): avc:  denied  { write } for  pid=1 comm="sshd" scontext=system_u:system_r:sshd_t:s0 tcontext=system_u:object_r:cert_t:s0 tclass=file
`)
	if len(got) != 3 || !got["cert_t file read"] || !got["cert_t file open"] ||
		!got["self process fork"] {
		t.Errorf("%v", got)
	}
}
