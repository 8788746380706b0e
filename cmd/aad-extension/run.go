// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// A runFunc runs a program of the system and returns what it said, on both outputs. The error is its exit status.
type runFunc func(ctx context.Context, environment []string, program string, args ...string) (string, error)

// grace is what a program has to end by itself, once its time is over.
const grace = 5 * time.Second

// runProgram gives the program an environment of its own and a process group of its own, all of which ends with ctx.
func runProgram(ctx context.Context, environment []string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"}, environment...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		group := -cmd.Process.Pid
		err := syscall.Kill(group, syscall.SIGTERM)
		time.AfterFunc(grace, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		return err
	}
	cmd.WaitDelay = grace + time.Second
	var said strings.Builder
	limited := &limitedWriter{&said, maxText}
	cmd.Stdout, cmd.Stderr = limited, limited
	err := cmd.Run()
	if cmd.Process != nil && ctx.Err() != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	return said.String(), err
}

// limitedWriter drops what is too much.
type limitedWriter struct {
	w    *strings.Builder
	left int
}

func (l *limitedWriter) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.w.Write(p[:n])
	return len(p), nil
}

// status is the exit status, -1 if the program was not even started or was killed.
func status(err error) int {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// unable is a program's failure, with the last lines it said.
func unable(program string, said string, err error) error {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	const most = 12
	if len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	for i := range lines {
		lines[i] = strings.TrimSpace(printable(lines[i]))
	}
	return fmt.Errorf("%s: %w: %s", program, err, strings.Join(lines, " | "))
}

// printable keeps a line a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
