// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
)

// A runFunc runs a program of the system and returns both of its outputs. The error is its exit
// status.
type runFunc func(ctx context.Context, environment []string, program string,
	args ...string) (string, error)

// grace is the time that a program has to end by itself after its limit.
const grace = 5 * time.Second

// runProgram gives the program its own environment and process group, which end with ctx. The
// output goes into a file in memory. A pipe would break when this process is killed, and that would
// kill dpkg in the middle of its work.
func runProgram(ctx context.Context, environment []string, program string,
	args ...string) (string, error) {
	fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
	if err != nil {
		return "", err
	}
	output := os.NewFile(uintptr(fd), "output")
	defer output.Close()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C",
		"DEBIAN_FRONTEND=noninteractive"}, environment...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace // after that, it is killed
	err = cmd.Run()
	if cmd.Process != nil && ctx.Err() != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // and the processes that it has started
	}
	said, read := io.ReadAll(io.NewSectionReader(output, 0, maxText))
	return string(said), errors.Join(err, read)
}

// status returns the exit status, or -1 if the program did not start or was killed.
func status(err error) int {
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}

// commandError returns the failure of a program, with the last lines that it printed.
func commandError(program string, said string, err error) error {
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

// printable keeps a text on one line.
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
