// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const stranger = "new@contoso.com"

// caller copies the program to a path below the library's directory.
func (l library) caller(t *testing.T, compiled []byte, path string) string {
	t.Helper()
	exe := filepath.Join(filepath.Dir(l.so), path)
	if err := os.MkdirAll(filepath.Dir(exe), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(exe, compiled, 0o755); err != nil {
		t.Fatal(err)
	}
	return exe
}

// buildCaller returns testdata/caller.c as a program.
func (l library) buildCaller(t *testing.T) []byte {
	t.Helper()
	exe := filepath.Join(filepath.Dir(l.so), "caller")
	compile(t, "-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement", "-o", exe,
		"testdata/caller.c", "-ldl")
	compiled, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// ofLength returns the path of a file sshd, in directories that make it so long.
func ofLength(dir string, length int) string {
	const base = "/sshd"
	for rest := length - len(dir) - len(base); rest > 0; rest = length - len(dir) - len(base) {
		if rest > 200 {
			rest = 100
		}
		dir += "/" + strings.Repeat("d", rest-1)
	}
	return dir + base
}

// An account is known before its first sign-in to a process with effective root whose file had the
// name of one of the services when it first asked, wherever the file is. TestLibraryBeforeSignIn
// has the simpler cases.
func TestToldBeforeSignIn(t *testing.T) {
	l := buildLibrary(t)
	data, snapshot := build(t, testRules(), people)
	l.write(t, data)
	n, err := testRules().Name(stranger)
	if err != nil {
		t.Fatal(err)
	}
	first, err := snapshot.NewAccount(n)
	if err != nil {
		t.Fatal(err)
	}
	dir, compiled := filepath.Dir(l.so), l.buildCaller(t)
	const ask = "ask=" + stranger
	for _, c := range []struct {
		what, exe, argv0 string
		steps            []string
		want             string // of each question: known or -
	}{
		{"another directory", "elsewhere/login", "", []string{ask}, "known"},
		{"a directory with spaces", "a b (deleted)/sshd", "", []string{ask}, "known"},
		{"no directory of a service", "sshd/getent", "", []string{ask}, "-"},
		{"longest path", ofLength(dir, 1023)[len(dir):], "", []string{ask}, "known"},
		{"path too long to be read", ofLength(dir, 1024)[len(dir):], "", []string{ask}, "-"},
		{"a service's when cut short", ofLength(dir, 1023)[len(dir):] + "x", "", []string{ask},
			"-"},
		{"argv[0]", "plain/getent", "sshd", []string{ask}, "-"},
		{"a name in ps", "plain/getent", "", []string{"comm=sshd", ask}, "-"},
		{"upper case", "plain/SSHD", "", []string{ask}, "-"},
		{"moved before", "moved/sshd", "", []string{"move=" + dir + "/moved/getent", ask}, "-"},
		{"moved here", "moved/getent", "", []string{"move=" + dir + "/moved/sshd", ask}, "known"},
		{"moved between", "moved/sshd", "", []string{ask, "move=" + dir + "/moved/getent", ask},
			"known known"},
		{"moved here between", "moved/getent", "",
			[]string{ask, "move=" + dir + "/moved/sshd", ask}, "- -"},
		{"a child", "plain/sshd", "", []string{ask, "fork", ask}, "known known"},
		{"real uid of another", "plain/sshd", "", []string{"ids=65534,0,0", ask}, "known"},
		{"effective uid of another", "plain/sshd", "", []string{"ids=0,65534,0", ask,
			"ids=-1,0,-1", ask}, "- known"},
		{"after setuid", "plain/sshd", "", []string{ask, "ids=65534,65534,65534", ask}, "known -"},
		{"saved uid 0 only", "plain/sshd", "", []string{"ids=65534,65534,0", ask}, "-"},
		{"no /proc", "plain/sshd", "", []string{"hide-proc", ask}, "-"},
		{"no /proc any more", "plain/sshd", "", []string{ask, "hide-proc", ask}, "known known"},
		{"chroot", "plain/sshd", "", []string{"chroot=" + dir + "/plain", ask}, "-"},
	} {
		exe := l.caller(t, compiled, c.exe)
		cmd := exec.Command(exe, append([]string{l.so}, c.steps...)...)
		if c.argv0 != "" {
			cmd.Args[0] = c.argv0
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.what, err, out)
		}
		got := strings.Join(strings.Fields(string(out)), " ")
		if want := strings.ReplaceAll(c.want, "known", fmt.Sprint(first.UID)); got != want {
			t.Errorf("%s: %s, want %s", c.what, got, want)
		}
	}
}

// The name of a link is not the name of the file.
func TestToldThroughLinks(t *testing.T) {
	l := buildLibrary(t)
	data, _ := build(t, testRules(), people)
	l.write(t, data)
	compiled := l.buildCaller(t)
	for target, hears := range map[string]bool{"sshd": true, "getent": false} {
		link := filepath.Join(filepath.Dir(l.so), "link-"+target,
			map[bool]string{true: "getent", false: "sshd"}[hears])
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(l.caller(t, compiled, "target/"+target), link); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(link, l.so, "ask="+stranger).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if heard := string(out) != "-\n"; heard != hears {
			t.Errorf("link %s to %s hears %s", filepath.Base(link), target, out)
		}
	}
}

// Without services nobody is told of accounts before their first sign-in.
func TestNobodyHearsWithoutServices(t *testing.T) {
	l := buildLibrary(t)
	rules := testRules()
	rules.PreAuthServices = nil
	data, _ := build(t, rules, people)
	l.write(t, data)
	exe := l.caller(t, l.buildCaller(t), "sshd")
	out, err := exec.Command(exe, l.so, "ask="+stranger, "ask=alice@contoso.com").CombinedOutput()
	got := strings.Fields(string(out))
	if err != nil || len(got) != 2 || got[0] != "-" || got[1] == "-" {
		t.Errorf("%q, %v", out, err)
	}
}

// The programs that are told of an account before its first sign-in.
func TestLibraryBeforeSignIn(t *testing.T) {
	l := buildLibrary(t)
	data, snapshot := build(t, testRules(), people)
	l.write(t, data)
	n, err := testRules().Name("new@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	first, err := snapshot.NewAccount(n)
	if err != nil {
		t.Fatal(err)
	}
	known := []string{line(first), fmt.Sprintf("1 4242 %d", testRules().Low),
		notFound, notFound, notFound}
	unknown := []string{notFound, notFound, notFound, notFound, notFound}
	for _, c := range []struct {
		exe  string
		uid  uint32
		gone bool
		want []string
	}{
		{"sshd", 0, false, known},
		{"login", 0, false, known},
		{"sshd", 0, true, known}, // upgraded while running
		{"sshd", 65534, false, unknown},
		{"sshd-session", 0, false, unknown}, // not listed here
		{"sshd ", 0, false, unknown},
		{"xsshd", 0, false, unknown},
		{"sshdx", 0, false, unknown},
		{"getent", 0, false, unknown},
		{"sshd (deleted)", 0, false, known},
		{"sshd (deleted) ", 0, false, unknown},
	} {
		dir := filepath.Join(filepath.Dir(l.probe), "bin")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		exe := filepath.Join(dir, c.exe)
		probe, err := os.ReadFile(l.probe)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(exe, probe, 0o755); err != nil {
			t.Fatal(err)
		}
		args := []string{"pwnam", n.Account, "init", fmt.Sprintf("%s=%d", n.Account, first.UID),
			"init", n.Account + "=4242", "pwuid", fmt.Sprint(first.UID), "grnam", n.Account}
		if c.gone {
			args = append([]string{"unlink", exe}, args...)
		}
		if got := l.askAs(t, exe, c.uid, args...); !slices.Equal(got, c.want) {
			t.Errorf("%q as %d, gone %v: %q", c.exe, c.uid, c.gone, got)
		}
	}
}
