// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The demonstration takes a minute and a half to build. If a port is taken, it says so before that.
func TestDemoFindsTakenPort(t *testing.T) {
	const sshd = "127.0.0.1:2222"
	defaults, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../../internal/machine/make/demo")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(script), "\nfor port in ")
	list, _, _ = strings.Cut(list, ";")
	for _, address := range []string{defaults.listen, defaults.metadata, sshd} {
		_, port, _ := net.SplitHostPort(address)
		if !slices.Contains(strings.Fields(list), port) {
			t.Errorf("port %s is not in %q", port, list)
		}
	}
	if l, err := net.Listen("tcp", sshd); err == nil { // else it is taken already
		defer l.Close()
	}
	demo := exec.Command("internal/machine/make/demo")
	demo.Dir = "../.."
	demo.Env = []string{"PATH=" + os.Getenv("PATH")} // no throw-away machine: it goes no further
	out, err := demo.CombinedOutput()
	if !strings.HasPrefix(string(out), "demo: a program listens on port ") {
		t.Errorf("%v, %s", err, out)
	}
	if status := demo.ProcessState.ExitCode(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}
