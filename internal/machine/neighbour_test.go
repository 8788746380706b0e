// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
)

// The network of a neighbour: this machine is here, the neighbour has two addresses.
const (
	here    = "192.0.2.1"
	near    = "192.0.2.7"
	another = "192.0.2.8"
)

// A neighbour is another machine as far as sshd can tell: a network namespace with addresses that are not this machine's.
type neighbour struct {
	t   *testing.T
	pid string // of a process in that namespace
}

func newNeighbour(t *testing.T) neighbour {
	t.Helper()
	n := neighbour{t, fmt.Sprint(keepNetwork(t))}
	must(t, "ip", "link", "add", "toward", "type", "veth", "peer", "name", "back", "netns", n.pid)
	t.Cleanup(func() { must(t, "ip", "link", "del", "toward") })
	must(t, "ip", "address", "add", here+"/24", "dev", "toward")
	must(t, "ip", "link", "set", "toward", "up")
	for _, address := range []string{near, another} {
		must(t, "nsenter", n.in("ip", "address", "add", address+"/24", "dev", "back")...)
	}
	must(t, "nsenter", n.in("ip", "link", "set", "back", "up")...)
	return n
}

// keepNetwork starts a process with a network of its own and returns its pid. The process ends with the test, or with the pipe that this
// process holds. PR_SET_PDEATHSIG would not do: it follows the thread that forked, and a test may end its thread.
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

// in are the arguments of nsenter that run a program there.
func (n neighbour) in(args ...string) []string { return append([]string{"-t", n.pid, "-n"}, args...) }

// from is "ssh NAME@here [COMMAND]" from one of the neighbour's addresses.
func (n neighbour) from(address, name string, command ...string) *terminal {
	n.t.Helper()
	return n.ssh(append(sshArgs("-tt", "-b", address, name+"@"+here), command...)...)
}

func (n neighbour) ssh(args ...string) *terminal {
	n.t.Helper()
	return open(n.t, "nsenter", n.in(append([]string{"ssh"}, args...)...)...)
}

// shell is a session, begun with a browser if it takes one.
func (n neighbour) shell(address, name string, options ...string) *terminal {
	n.t.Helper()
	c := n.ssh(append(options, sshArgs("-tt", "-b", address, name+"@"+here)...)...)
	if c.expect(`Signing in|\$ `)[0] == "Signing in" {
		c.signIn(name)
		c.expect(`\$ `)
	}
	return c
}

// silently runs a program of OpenSSH's without a terminal, a person or a key. BatchMode=yes would not do: a client in that
// mode never tries keyboard-interactive.
func (n neighbour) silently(stdin, program string, args ...string) string {
	n.t.Helper()
	all := n.in("setsid", "-w", program, "-F", "none", "-o", "Port="+sshPort, "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no", "-o", "BindAddress="+near)
	out, status := command(n.t, stdin, "nsenter", append(all, args...)...)
	if status != 0 {
		n.t.Errorf("%s: exit status %d, said %q", program, status, out)
	}
	return out
}
