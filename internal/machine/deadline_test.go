// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// waiting lists the workers that hold a place in a waiting room: remote or local.
func waiting(t testing.TB, room string) []int {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/fd/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, link := range links {
		if path, err := os.Readlink(link); err == nil && strings.HasPrefix(path, "/var/cache/aad-login/waiting/"+room+"/slot-") {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			found = append(found, pid)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// parent is 0 for a process that is gone.
func parent(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(string(regexp.MustCompile(`PPid:\s+(\d+)`).FindSubmatch(status)[1]))
	return n
}

// connection is the processes behind one prompt of sshd, each the child of the one before.
type connection struct {
	listener, monitor, host, guard, worker int
	network                                int // the other child of the monitor, without privileges
	page, code                             string
}

// waitingAt connects to an sshd, waits for the prompt and finds out who is who. There must be no other connection.
func waitingAt(t *testing.T, port, name string) (*terminal, connection) {
	t.Helper()
	c := open(t, "ssh", append([]string{"-p", port, "-tt"}, sshArgs(name+"@127.0.0.1", "id -un")...)...)
	var p connection
	p.page, p.code = c.prompted()
	workers := waiting(t, "remote")
	if len(workers) != 1 {
		t.Fatalf("workers %v, want one", workers)
	}
	p.worker = workers[0]
	p.guard = parent(p.worker)
	p.host = parent(p.guard)
	p.monitor = parent(p.host)
	p.listener = parent(p.monitor)
	for _, link := range pids(t, "sshd") {
		pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
		if parent(pid) == p.monitor && pid != p.host {
			p.network = pid
		}
	}
	if p.network == 0 || p.listener < 2 {
		t.Fatalf("not sshd's processes: %+v", p)
	}
	return c, p
}

func nobodyWaits(t *testing.T) {
	t.Helper()
	eventually(t, "nobody waits", patience, func() bool { return waiting(t, "") == nil && waiting(t, "remote") == nil })
}

// Whichever process of a sign-in is killed, the worker ends with the sign-in, and its place is free.
func TestKilledProcess(t *testing.T) {
	const port, user = "2225", "user@contoso.example"
	stored(t, user)
	nobodyWaits(t)
	kill := func(pid int) { unix.Kill(pid, unix.SIGKILL) }
	for _, test := range []struct {
		name string
		kill func(*terminal, connection)
		line string // in the log; "": nobody is left to write it
	}{
		{"the connection's process without privileges", func(_ *terminal, p connection) { kill(p.network) }, `failed reason="interrupted"`},
		{"the connection's monitor", func(_ *terminal, p connection) { kill(p.monitor) }, `failed reason="conversation-failed"`},
		{"the PAM host", func(_ *terminal, p connection) { kill(p.host) }, ""},
		{"the PAM host, of a worker that is stopped", func(_ *terminal, p connection) {
			unix.Kill(p.worker, unix.SIGSTOP)
			kill(p.host)
		}, ""},
		{"the PAM host, after an early ENTER", func(c *terminal, p connection) {
			c.typeLine("")
			polled(t)
			kill(p.host)
		}, ""},
		{"the client, after an early ENTER", func(c *terminal, _ connection) {
			c.typeLine("")
			polled(t)
			c.cmd.Process.Kill()
		}, `failed reason="interrupted"`},
		{"the worker", func(c *terminal, p connection) {
			kill(p.worker)
			c.typeLine("")
			c.expect(`Something went wrong on this machine, and nobody was signed in\. [^\n]*\nCorrelation ID: `)
		}, `failed reason="worker-died"`},
		{"the worker, by a defect", func(c *terminal, p connection) {
			unix.Kill(p.worker, unix.SIGSEGV)
			c.typeLine("")
			c.expect(`Something went wrong on this machine, and nobody was signed in\. [^\n]*\nCorrelation ID: `)
		}, `failed reason="worker-died"`},
		{"the worker's guard", func(c *terminal, p connection) {
			kill(p.guard)
			c.typeLine("")
			c.expect(`Something went wrong on this machine, and nobody was signed in\. [^\n]*\nCorrelation ID: `)
		}, `failed reason="worker-died"`},
		{"the listener", func(c *terminal, p connection) { // whom nobody waits for any more
			kill(p.listener)
			browse(t, p.page, p.code, user)
			c.typeLine("")
			c.expect(`\n` + user + `\n`)
		}, `signed-in`},
	} {
		t.Run(test.name, func(t *testing.T) {
			sshd, err := startSSHD(port)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				sshd.Process.Kill()
				sshd.Wait()
			}()
			mark := syslog.mark()
			c, p := waitingAt(t, port, user)
			test.kill(c, p)
			eventually(t, "the worker and its host are gone", patience, func() bool { return ended(p.worker) && ended(p.host) })
			nobodyWaits(t)
			if test.line != "" {
				if line := one(t, mark, test.line); strings.Contains(test.name, "defect") && !strings.HasSuffix(line, ` error="SIGSEGV: segmentation violation"`) {
					t.Errorf("what the worker died of is not in %q", line)
				}
			} else {
				syslog.exactly(t, mark, 0, "")
			}
			c.cmd.Process.Kill() // what is left of sshd finds out when its client speaks, or goes
			for _, pid := range []int{p.monitor, p.network} {
				eventually(t, "the connection's processes are gone", patience, func() bool { return ended(pid) })
			}
		})
	}
}

// Nobody has to press ENTER, and nothing has to go well, for a sign-in to end in time.
func TestDeadlines(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	nobodyWaits(t)
	edit(t, configFile, func(s string) []byte { return []byte(s + "\n[sign_in]\ntimeout = \"10s\"\n") })
	mark := syslog.mark()

	// One after the other, so that the newest worker is known; then all wait at once.
	known := map[int]bool{}
	worker := func(c *terminal) int {
		c.prompted()
		for _, pid := range waiting(t, "remote") {
			if !known[pid] {
				known[pid] = true
				return pid
			}
		}
		t.Fatal("no worker")
		return 0
	}
	inTime := ssh(t, user) // who looks at the prompt until the end
	first := worker(inTime)
	early := ssh(t, user) // pressed ENTER, and waits
	worker(early)
	early.typeLine("")
	stuck := ssh(t, user) // whose worker does not do its part
	stopped := worker(stuck)
	unix.Kill(stopped, unix.SIGSTOP)
	stuck.typeLine("")
	short := worker(ssh(t, user))
	unix.Kill(parent(parent(parent(short))), unix.SIGALRM) // the end of LoginGraceTime, at once

	gone := func(pid int) { eventually(t, "the worker is gone", patience, func() bool { return ended(pid) }) }
	gone(short) // sshd itself says nothing, since it may not from a signal handler (CVE-2024-6387)
	const late = `The sign-in was not finished in the browser in time\. Try again\.`
	early.expect(late)
	gone(first)
	if strings.Contains(inTime.all(), "in time") {
		t.Error("said before ENTER: then this test shows nothing")
	}
	inTime.typeLine("")
	inTime.expect(late)
	stuck.expect(`The sign-in took too long and was given up\. Try again\.`)
	gone(stopped)
	for _, want := range []struct {
		reason string
		n      int
	}{{`denied reason="expired"`, 2}, {`failed reason="time-out"`, 1}, {`failed reason="interrupted"`, 1}} {
		syslog.exactly(t, mark, want.n, ": "+want.reason+" ")
	}
}
