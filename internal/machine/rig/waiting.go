// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Waiting lists the workers that hold a place in a waiting room: remote or local.
func Waiting(t testing.TB, room string) []int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, link := range links {
		path, err := os.Readlink(link)
		if err == nil && strings.HasPrefix(path, "/var/cache/aad-login/waiting/"+room+"/slot-") {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Connection holds the processes behind one prompt of sshd. Each is the child of the one before.
type Connection struct {
	Listener, Monitor, Host, Guard, Worker int
	Network                                int // the other child of the monitor, without privileges
	Page, Code                             string
}

// WaitingAt connects to an sshd, waits for the prompt, and finds the processes of the connection.
// There must be no other connection.
func WaitingAt(t *testing.T, port, name string) (*Terminal, Connection) {
	t.Helper()
	c := Open(t, "ssh",
		append([]string{"-p", port, "-tt"}, SSHArgs(name+"@127.0.0.1", "id -un")...)...)
	var p Connection
	p.Page, p.Code = c.Prompted()
	workers := Waiting(t, "remote")
	if len(workers) != 1 {
		t.Fatalf("workers %v, want one", workers)
	}
	p.Worker = workers[0]
	p.Guard = Parent(p.Worker)
	p.Host = Parent(p.Guard)
	p.Monitor = Parent(p.Host)
	p.Listener = Parent(p.Monitor)
	for _, link := range PIDs(t, "sshd") {
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		if Parent(pid) == p.Monitor && pid != p.Host {
			p.Network = pid
		}
	}
	if p.Network == 0 || p.Listener < 2 {
		t.Fatalf("not sshd's processes: %+v", p)
	}
	return c, p
}

// NobodyWaits waits until both waiting rooms are empty.
func NobodyWaits(t *testing.T) {
	t.Helper()
	Eventually(t, "nobody waits", Patience, func() bool {
		return Waiting(t, "") == nil && Waiting(t, "remote") == nil
	})
}
