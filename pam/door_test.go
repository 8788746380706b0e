// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The door is C, and is tested as C: each harness in testdata includes the source that ships,
// replaces its surroundings, and is built with the sanitizers.

// builtHere is the directory of the harnesses.
var builtHere string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pam")
	if err != nil {
		panic(err)
	}
	builtHere = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

var (
	built   = map[string]error{}
	builtMu sync.Mutex
)

// harness builds testdata/name.c, once.
func harness(t testing.TB, name string, more ...string) string {
	t.Helper()
	builtMu.Lock()
	defer builtMu.Unlock()
	program := filepath.Join(builtHere, name)
	if err, done := built[name]; done {
		if err != nil {
			t.Fatal(err)
		}
		return program
	}
	args := []string{
		"-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement",
		"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer",
		"-Itestdata", "-o", program, filepath.Join("testdata", name+".c"),
	}
	args = append(args, more...)
	out, err := exec.Command("gcc", args...).CombinedOutput()
	built[name] = err
	if err != nil {
		t.Fatalf("gcc %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return program
}

// patience is the longest time for a harness. Nothing in a harness waits.
const patience = time.Minute

// play runs a harness to its end and returns its lines. A report of a sanitizer, in any of its
// processes, fails the test.
func play(t *testing.T, program string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reports := t.TempDir()
	// some hosts are not root, and must write reports, too
	for _, dir := range []string{filepath.Dir(reports), reports} {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	found := filepath.Join(reports, "sanitizer")
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// also a worker that hangs
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Env = append(os.Environ(), "ASAN_OPTIONS=log_path="+found,
		"UBSAN_OPTIONS=print_stacktrace=1:log_path="+found)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	all, _ := filepath.Glob(found + "*")
	for _, path := range all {
		if text, _ := os.ReadFile(path); !onStackOfItsOwn(string(text)) {
			t.Errorf("%s", text)
		}
	}
	if err != nil {
		t.Fatalf("%s %q: %v\n%s%s", filepath.Base(program), args, err, out, stderr.Bytes())
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// onStackOfItsOwn reports whether a text is what the sanitizer says about a worker on the stack of
// the guard, which is no error.
func onStackOfItsOwn(report string) bool {
	lines := strings.Split(strings.TrimSpace(report), "\n")
	return len(lines) == 3 &&
		strings.Contains(lines[0],
			"WARNING: ASan is ignoring requested __asan_handle_no_return: stack type: default")
}
