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

// Command runs a command to its end. It returns its output and exit status.
func Command(t *testing.T, stdin string, name string, args ...string) (string, int) {
	t.Helper()
	// The test's own context has ended when clean-ups run.
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

// Must is Command for a command that must succeed.
func Must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, status := Command(t, "", name, args...)
	if status != 0 {
		t.Fatalf("%s %q: exit status %d:\n%s", name, args, status, out)
	}
	return out
}

// Build is Must for a build. Without a cache, a busy machine takes minutes.
func Build(t *testing.T, name string, args ...string) {
	t.Helper()
	defer func(former time.Duration) { Patience = former }(Patience)
	Patience *= 5
	Must(t, name, args...)
}

// Eventually asks repeatedly for a state that no event announces, such as the end of a process that
// is not our child.
func Eventually(t testing.TB, what string, within time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
