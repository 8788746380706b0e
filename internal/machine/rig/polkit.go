// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bufio"
	"io"
	"os/exec"
	"regexp"
	"testing"
)

// PolkitHelper signs in through the program by which polkit asks PAM, and returns its output.
func PolkitHelper(t *testing.T, user string) (said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/usr/lib/polkit-1/polkit-agent-helper-1", user)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	lines := bufio.NewReader(out)
	io.WriteString(in, "cookie\n")
	line, _ := lines.ReadString('\n')
	m := regexp.MustCompile(`^PAM_PROMPT_ECHO_ON Signing in to \S+ as \S+ \(polkit-1\)\. \\n(?:\S+ \\n)?` + PromptPattern).FindStringSubmatch(line)
	if m == nil {
		cmd.Process.Kill()
		t.Fatalf("no prompt: %q", line)
	}
	Browse(t, m[1], m[2], user)
	io.WriteString(in, "\n")
	rest, _ := io.ReadAll(lines)
	return string(rest)
}
