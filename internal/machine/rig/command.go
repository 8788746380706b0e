// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Command runs to its end and returns what it printed and its exit status.
func Command(t *testing.T, stdin string, name string, args ...string) (string, int) {
	t.Helper()
	// t's own has ended when clean-ups run
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Must is command for what has to work.
func Must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, status := Command(t, "", name, args...)
	if status != 0 {
		t.Fatalf("%s %q: exit status %d:\n%s", name, args, status, out)
	}
	return out
}

// Build is must for what compiles, which is no step of a dialogue: without a cache, and with more
// to do, a machine takes minutes.
func Build(t *testing.T, name string, args ...string) {
	t.Helper()
	defer func(former time.Duration) { Patience = former }(Patience)
	Patience *= 5
	Must(t, name, args...)
}

// Eventually asks again and again, for what no event announces: the end of a process that is not
// ours to wait for.
func Eventually(t testing.TB, what string, within time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
