// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
)

// These are the addresses in a neighbour's network: this machine has one and the neighbour two.
const (
	Here    = "192.0.2.1"
	Near    = "192.0.2.7"
	Another = "192.0.2.8"
)

// A Neighbour is another machine as far as sshd can tell: a network namespace with addresses that
// are not this machine's.
type Neighbour struct {
	t   *testing.T
	Pid string // of a process in that namespace
}

// NewNeighbour makes a neighbour for the length of a test.
func NewNeighbour(t *testing.T) Neighbour {
	t.Helper()
	n := Neighbour{t, fmt.Sprint(keepNetwork(t))}
	Must(t, "ip", "link", "add", "toward", "type", "veth", "peer", "name", "back", "netns", n.Pid)
	t.Cleanup(func() { Must(t, "ip", "link", "del", "toward") })
	Must(t, "ip", "address", "add", Here+"/24", "dev", "toward")
	Must(t, "ip", "link", "set", "toward", "up")
	for _, address := range []string{Near, Another} {
		Must(t, "nsenter", n.In("ip", "address", "add", address+"/24", "dev", "back")...)
	}
	Must(t, "nsenter", n.In("ip", "link", "set", "back", "up")...)
	return n
}

// keepNetwork starts a process with a network of its own and returns its pid. The process ends with
// the test, or with the pipe that this process holds. PR_SET_PDEATHSIG would not do: it follows the
// thread that forked, and a test may end its thread.
func keepNetwork(t *testing.T) int {
	t.Helper()
	cat := exec.Command("cat")
	cat.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	hold, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		hold.Close()
		cat.Wait()
	})
	return cat.Process.Pid
}

// In returns the arguments of nsenter that run a program there.
func (n Neighbour) In(args ...string) []string {
	return append([]string{"-t", n.Pid, "-n"}, args...)
}

// From runs "ssh NAME@here [COMMAND]" from one of the neighbour's addresses.
func (n Neighbour) From(address, name string, command ...string) *Terminal {
	n.t.Helper()
	return n.SSH(append(SSHArgs("-tt", "-b", address, name+"@"+Here), command...)...)
}

// SSH runs ssh from there.
func (n Neighbour) SSH(args ...string) *Terminal {
	n.t.Helper()
	return Open(n.t, "nsenter", n.In(append([]string{"ssh"}, args...)...)...)
}

// Shell opens a session, with a browser if it needs one.
func (n Neighbour) Shell(address, name string, options ...string) *Terminal {
	n.t.Helper()
	c := n.SSH(append(options, SSHArgs("-tt", "-b", address, name+"@"+Here)...)...)
	if c.Expect(`Signing in|\$ `)[0] == "Signing in" {
		c.SignIn(name)
		c.Expect(`\$ `)
	}
	return c
}

// Silently runs a program of OpenSSH without a terminal, a person or a key. It does not use
// BatchMode=yes, because a client in that mode never tries keyboard-interactive.
func (n Neighbour) Silently(stdin, program string, args ...string) string {
	n.t.Helper()
	all := n.In("setsid", "-w", program, "-F", "none", "-o", "Port="+SSHPort,
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no", "-o", "BindAddress="+Near)
	out, status := Command(n.t, stdin, "nsenter", append(all, args...)...)
	if status != 0 {
		n.t.Errorf("%s: exit status %d, said %q", program, status, out)
	}
	return out
}
