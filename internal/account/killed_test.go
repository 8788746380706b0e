// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

// killedAt runs a process until it and its threads have entered and left the kernel that many times
// together, and then kills it (0: never). It returns the number of times.
func killedAt(t *testing.T, c *child, n int) (stops int) {
	t.Helper()
	runtime.LockOSThread() // ptrace(2) obeys the thread that began
	defer runtime.UnlockOSThread()
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true, Setpgid: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := c.cmd.Process.Pid
	const syscallStop = syscall.SIGTRAP | 0x80
	for begun := false; ; begun = true {
		var status syscall.WaitStatus
		// Only processes of its group belong to this test.
		thread, err := syscall.Wait4(-pid, &status, syscall.WALL, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			t.Fatal(err)
		case status.Exited() || status.Signaled():
			if thread == pid {
				return stops
			}
			continue
		}
		if !begun {
			// PTRACE_O_EXITKILL
			const options = syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACESYSGOOD | 0x100000
			if err := syscall.PtraceSetOptions(pid, options); err != nil {
				t.Fatal(err)
			}
		}
		signal := status.StopSignal()
		switch signal {
		case syscallStop:
			if stops++; stops == n {
				syscall.Kill(pid, syscall.SIGKILL)
			}
			signal = 0
		case syscall.SIGTRAP, syscall.SIGSTOP: // of ptrace itself
			signal = 0
		}
		syscall.PtraceSyscall(thread, int(signal)) // fails for who has been killed meanwhile
	}
}

// A process may be killed at any time, in front of another one or while it writes for both. The
// other one's change is made, and the store is sound at all times.
func TestKilledBeforeAnother(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	last := killedAt(t, childOf(t, s, "never@contoso.com"), 0)
	const times = 6
	for i := range times {
		before := names(t, s)
		killed, other := childOf(t, s, fmt.Sprintf("killed%d@contoso.com", i)),
			childOf(t, s, fmt.Sprintf("other%d@contoso.com", i))
		killed.cmd.Stdout, killed.cmd.Stderr = nil, nil
		if err := other.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		at := last - last/3*i/times // the runtime's beginning is the first half
		killedAt(t, killed, at)
		if said := other.says(); said != "stored" {
			t.Errorf("killed at %d of %d: %s: %s", at, last, other.name, said)
		}
		after := names(t, s)
		for _, name := range append(before, other.name) {
			if !slices.Contains(after, name) {
				t.Fatalf("killed at %d of %d: %s is lost", at, last, name)
			}
		}
	}
}
