// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The answers to the PAM module, before it starts a process.
func TestOurs(t *testing.T) {
	l := buildLibrary(t)
	sources, err := filepath.Glob("*.c")
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(filepath.Dir(l.so), "ours")
	args := []string{
		"-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement",
		fmt.Sprintf("-DAAD_STORE=%q", l.store), "-o", exe, "testdata/ours.c",
	}
	compile(t, append(args, sources...)...)
	rules := testRules()
	rules.Low, rules.High = 70000, 80000
	old, _ := build(t, rules, people) // of a version that had no sign_in.services
	rules.SignInServices = []string{"sshd", "root", "0"}
	full, _ := build(t, rules, people)
	rules.ShortNames, rules.SignInServices = true, []string{}
	short, _ := build(t, rules, nobody)
	names := []string{"alice@contoso.com", "ALICE@Contoso.com", "new@fabrikam.com",
		"gone@contoso.com", "alice@other.com", "root", "Alice", "", "-x@contoso.com", "0",
		"was@contoso.com", "sshd", "ssh", "Sshd", "admin@contoso.com", "admin"}
	for _, c := range []struct {
		what   string
		data   []byte
		want   string // of each name: ours, foreign, uncertain
		ids    string
		stored string // yes, no, uncertain
		shown  string // of each as a service
	}{
		{"full names", full, "ooooffffffofffof", "70000 80000",
			"yynynnnnnnynnnyn", "nnnnnynnnynynnnn"},
		{"short names", short, "ooooffofffooooof", "70000 80000",
			"nnnnnnnnnnnnnnnn", "nnnnnnnnnnnnnnnn"},
		{"no list", old, "ooooffffffofffof", "70000 80000", "yynynnnnnnynnnyn", "uuuuuuuuuuuuuuuu"},
		{"damaged", full[:2500], "nnnnnnnnnnnnnnnn", "1879048192 2147483646",
			"uuuuuuuuuuuuuuuu", "uuuuuuuuuuuuuuuu"},
	} {
		l.write(t, c.data)
		out, err := exec.Command(exe, names...).Output()
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range strings.Split(strings.TrimSpace(string(out)), "\n") {
			word := map[byte]string{'o': "yes", 'f': "no", 'n': "uncertain"}[c.want[i]]
			answer := map[byte]string{'y': "yes", 'n': "no", 'u': "uncertain"}
			want := word + " " + c.ids + " " + answer[c.stored[i]] + " " + answer[c.shown[i]]
			if got != want {
				t.Errorf("%s: %q: %q, want %q", c.what, names[i], got, want)
			}
		}
	}
}
