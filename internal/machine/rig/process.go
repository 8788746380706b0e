// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Ended reports whether a process is gone or a zombie, which has no program any more.
func Ended(pid int) bool {
	_, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "exe"))
	return err != nil
}

// Parent returns the parent of a process, or 0 if the process is gone.
func Parent(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(string(regexp.MustCompile(`PPid:\s+(\d+)`).FindSubmatch(status)[1]))
	return n
}

// BehindGuard returns the worker of a guard (pam/guard.c), or the process itself if it is no guard.
func BehindGuard(pid int) []int {
	if workers := Children(pid); len(workers) > 0 {
		return workers
	}
	return []int{pid}
}

// Children returns the processes that a process's first thread has made.
func Children(pid int) (all []int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		return nil // gone meanwhile
	}
	for _, field := range strings.Fields(string(text)) {
		var n int
		fmt.Sscan(field, &n)
		all = append(all, n)
	}
	return all
}

// Kill ends a program and waits for its end.
func Kill(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// PIDs lists the processes whose program's name begins with program.
func PIDs(t *testing.T, program string) []string {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, link := range links {
		exe, err := os.Readlink(link)
		if err == nil && strings.HasPrefix(filepath.Base(exe), program) {
			found = append(found, link)
		}
	}
	return found
}
