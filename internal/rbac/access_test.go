// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// vectors reads a file of stanzas, each the lines of one case.
func vectors(t testing.TB, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/rbac/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	for stanza := range strings.SplitSeq(string(text), "\n\n") {
		var lines []string
		for line := range strings.Lines(stanza) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
		if len(lines) > 0 {
			all = append(all, lines)
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d vectors in %s", len(all), name)
	}
	return all
}

// scopes are the names that the vectors give to places in Azure.
var scopes = func() *strings.Replacer {
	sub, group, _ := strings.Cut(emulatedVM, "/resourceGroups/")
	rg := sub + "/resourceGroups/" + group[:strings.Index(group, "/")]
	return strings.NewReplacer(
		"$vmss", rg+"/providers/Microsoft.Compute/virtualMachineScaleSets/web",
		"$VM", strings.ToUpper(emulatedVM), "$vm", emulatedVM, "$RG", strings.ToUpper(rg), "$rg",
		rg, "$sub", sub,
		"$arc", rg+"/providers/Microsoft.HybridCompute/machines/onprem",
		"$mg", "/providers/Microsoft.Management/managementGroups",
		"$user", personOID, "$compute", "Microsoft.Compute/virtualMachines", "$hybrid",
		"Microsoft.HybridCompute/machines",
	)
}()

// situation is what a vector of access.txt describes.
type situation struct {
	name      string
	machine   string
	directory *emulator.Directory
	expect    map[string]string // by source
}

func TestAccess(t *testing.T) {
	azure := newEmulated(t)
	for _, lines := range vectors(t, "access.txt") {
		s := readSituation(t, lines)
		t.Run(s.name, func(t *testing.T) {
			azure.t = t
			azure.holds(s.directory)
			for name, source := range azure.sources() {
				want := s.expect[name]
				if want == "" {
					want = s.expect[""]
				}
				s.check(t, name, azure.decides(source, s.machine), want)
			}
		})
	}
}

// check compares with a word and, for the source that knows most, why: the role and where it is
// assigned, or a part of the reason.
func (s *situation) check(t *testing.T, source string, d Decision, want string) {
	want, why, _ := strings.Cut(want, " ")
	if got := word(d); got != want {
		t.Errorf("%s: %s (%s), want %s", source, got, d.Reason, want)
	}
	if d.Reason == "" != d.Admin || d.CorrelationID == "" ||
		d.Withheld != strings.Contains(d.Reason, "deny assignment") {
		t.Errorf("%s: %+v", source, d)
	}
	if source != "role-assignments" {
		return
	}
	got := d.Reason
	if d.Login {
		got = d.Role + " at " + d.Scope
		at := strings.TrimSuffix(d.Scope, "/")
		if !strings.HasPrefix(d.Assignment,
			at+"/providers/Microsoft.Authorization/roleAssignments/") {
			t.Errorf("%s: assignment %q at %q", source, d.Assignment, d.Scope)
		}
	}
	if why == "" || !strings.Contains(got, why) {
		t.Errorf("%s: %q, want %q", source, got, why)
	}
}

func readSituation(t testing.TB, lines []string) *situation {
	t.Helper()
	s := &situation{machine: emulatedVM, expect: map[string]string{}}
	for _, line := range lines { // the rest depends on it
		if at, ok := strings.CutPrefix(line, "machine: "); ok {
			s.machine = scopes.Replace(at)
		}
	}
	s.directory = bare(s.machine)
	for _, line := range lines {
		key, value, ok := strings.Cut(line, ": ")
		verb, name, _ := strings.Cut(key, " ")
		if !ok || !s.read(verb, name, scopes.Replace(value)) {
			t.Fatalf("%s: line %q", s.name, line)
		}
	}
	if s.name == "" || s.expect[""] == "" {
		t.Fatalf("%q lacks name or expect", lines)
	}
	return s
}

// read takes one line, and reports whether there is such a line.
func (s *situation) read(verb, name, value string) bool {
	d := s.directory
	f := fields(value)
	switch verb {
	case "name":
		s.name = value
	case "machine":
	case "expect":
		s.expect[name] = value
	case "group":
		d.Groups = append(d.Groups, emulator.Group{
			Name: name, ObjectID: id(100 + len(d.Groups)),
			Members: people(strings.Split(value, " ")),
		})
	case "role":
		d.Roles = append(d.Roles, emulator.Role{ID: id(200 + len(d.Roles)), Name: name,
			Actions: f["actions"], DataActions: f["data"], NotDataActions: f["not"]})
	case "assign":
		who := append(people(f["to"]), person)[0]
		role := strings.NewReplacer("_", " ").Replace(f["role"][0])
		d.Assignments = append(d.Assignments, emulator.Assignment{
			Principal: who, Role: role, Scope: f["at"][0], Condition: strings.Join(f["if"], ""),
		})
	case "deny":
		d.Denies = append(d.Denies, emulator.Deny{
			Name: name, Principals: people(f["to"]), Exclude: people(f["except"]),
			Actions: f["actions"], DataActions: f["data"], NotDataActions: f["not"],
			Scope: f["at"][0], DoNotApplyToChildScopes: f["below"] != nil,
		})
	default:
		return false
	}
	return true
}

// fields reads "key=a,b key=c".
func fields(value string) map[string][]string {
	all := map[string][]string{}
	for field := range strings.FieldsSeq(value) {
		if key, list, ok := strings.Cut(field, "="); ok {
			all[key] = strings.Split(list, ",")
		}
	}
	return all
}

func people(names []string) []string {
	var all []string
	for _, n := range names {
		switch n {
		case "user":
			n = person
		case "other":
			n = other
		}
		all = append(all, n)
	}
	return all
}

func id(n int) string { return fmt.Sprintf("99999999-0000-4000-8000-%012d", n) }
