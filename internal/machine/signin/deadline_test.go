// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"aadlogin/internal/machine/rig"
)

// Whichever process of a sign-in is killed, the worker ends with the sign-in, and its place becomes
// free.
func TestKilledProcess(t *testing.T) {
	const port, user = "2225", "user@contoso.example"
	rig.Stored(t, user)
	rig.NobodyWaits(t)
	kill := func(pid int) { unix.Kill(pid, unix.SIGKILL) }
	for _, test := range []struct {
		name string
		kill func(*rig.Terminal, rig.Connection)
		line string // in the log; "": nobody is left to write it
	}{
		{"the connection's process without privileges",
			func(_ *rig.Terminal, p rig.Connection) { kill(p.Network) },
			`failed reason="interrupted"`},
		{"the connection's monitor", func(_ *rig.Terminal, p rig.Connection) { kill(p.Monitor) },
			`failed reason="conversation-failed"`},
		{"the PAM host", func(_ *rig.Terminal, p rig.Connection) { kill(p.Host) }, ""},
		{"the PAM host, of a worker that is stopped", func(_ *rig.Terminal, p rig.Connection) {
			unix.Kill(p.Worker, unix.SIGSTOP)
			kill(p.Host)
		}, ""},
		{"the PAM host, after an early ENTER", func(c *rig.Terminal, p rig.Connection) {
			c.TypeLine("")
			rig.Polled(t)
			kill(p.Host)
		}, ""},
		{"the client, after an early ENTER", func(c *rig.Terminal, _ rig.Connection) {
			c.TypeLine("")
			rig.Polled(t)
			c.Cmd.Process.Kill()
		}, `failed reason="interrupted"`},
		{"the worker", func(c *rig.Terminal, p rig.Connection) {
			kill(p.Worker)
			c.TypeLine("")
			c.Expect(`Something went wrong on this machine, and nobody was signed in\. [^\n]*\nCorrelation ID: `)
		}, `failed reason="worker-died"`},
		{"the worker, by a defect", func(c *rig.Terminal, p rig.Connection) {
			unix.Kill(p.Worker, unix.SIGSEGV)
			c.TypeLine("")
			c.Expect(`Something went wrong on this machine, and nobody was signed in\. [^\n]*\nCorrelation ID: `)
		}, `failed reason="worker-died"`},
		{"the worker's guard", func(c *rig.Terminal, p rig.Connection) {
			kill(p.Guard)
			c.TypeLine("")
			c.Expect(`Something went wrong on this machine, and nobody was signed in\. [^\n]*\nCorrelation ID: `)
		}, `failed reason="worker-died"`},
		{"the listener", func(c *rig.Terminal, p rig.Connection) { // whom nobody waits for any more
			kill(p.Listener)
			rig.Browse(t, p.Page, p.Code, user)
			c.TypeLine("")
			c.Expect(`\n` + user + `\n`)
		}, `signed-in`},
	} {
		t.Run(test.name, func(t *testing.T) {
			sshd, err := rig.StartSSHD(port)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				sshd.Process.Kill()
				sshd.Wait()
			}()
			mark := rig.Syslog.Mark()
			c, p := rig.WaitingAt(t, port, user)
			test.kill(c, p)
			rig.Eventually(t, "the worker and its host are gone", rig.Patience,
				func() bool { return rig.Ended(p.Worker) && rig.Ended(p.Host) })
			rig.NobodyWaits(t)
			if test.line != "" {
				line := rig.OneLine(t, mark, test.line)
				if strings.Contains(test.name, "defect") &&
					!strings.HasSuffix(line, ` error="SIGSEGV: segmentation violation"`) {
					t.Errorf("what the worker died of is not in %q", line)
				}
			} else {
				rig.Syslog.Exactly(t, mark, 0, "")
			}
			c.Cmd.Process.Kill() // what is left of sshd finds out when its client speaks, or goes
			for _, pid := range []int{p.Monitor, p.Network} {
				rig.Eventually(t, "the connection's processes are gone", rig.Patience,
					func() bool { return rig.Ended(pid) })
			}
		})
	}
}

// A sign-in ends in time, without an ENTER and whatever fails.
func TestDeadlines(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	rig.NobodyWaits(t)
	mark := rig.Syslog.Mark()

	// They start one after the other, so that the newest worker is known. Then all wait at the same
	// time.
	known := map[int]bool{}
	worker := func(c *rig.Terminal) int {
		c.Prompted()
		for _, pid := range rig.Waiting(t, "remote") {
			if !known[pid] {
				known[pid] = true
				return pid
			}
		}
		t.Fatal("no worker")
		return 0
	}
	short := worker(rig.SSH(t, user)) // with the usual time, which does not end before it is cut
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return []byte(s + "\n[sign_in]\ntimeout = \"10s\"\n")
	})
	stuck := rig.SSH(t, user) // whose worker does not do its part
	stopped := worker(stuck)
	unix.Kill(stopped, unix.SIGSTOP)
	stuck.TypeLine("")
	early := rig.SSH(t, user) // pressed ENTER, and waits
	worker(early)
	early.TypeLine("")
	inTime := rig.SSH(t, user) // who looks at the prompt until the end
	first := worker(inTime)
	// the end of LoginGraceTime, at once
	unix.Kill(rig.Parent(rig.Parent(rig.Parent(short))), unix.SIGALRM)

	gone := func(pid int) {
		rig.Eventually(t, "the worker is gone", rig.Patience, func() bool { return rig.Ended(pid) })
	}
	gone(short) // sshd itself says nothing, since it may not from a signal handler (CVE-2024-6387)
	const late = `The sign-in was not finished in the browser in time\. Try again\.`
	early.Expect(late)
	gone(first)
	if strings.Contains(inTime.All(), "in time") {
		t.Error("said before ENTER: then this test shows nothing")
	}
	inTime.TypeLine("")
	inTime.Expect(late)
	stuck.Expect(`The sign-in took too long and was given up\. Try again\.`)
	gone(stopped)
	for _, want := range []struct {
		reason string
		n      int
	}{{`denied reason="expired"`, 2}, {`failed reason="time-out"`, 1},
		{`failed reason="interrupted"`, 1}} {
		rig.Syslog.Exactly(t, mark, want.n, ": "+want.reason+" ")
	}
}
