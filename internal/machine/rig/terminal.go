// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Patience is the longest time for anything here. No test measures time with it.
var Patience = 3 * time.Minute

// Terminal is a command that runs on a pseudo-terminal of its own, as if a person had typed it.
type Terminal struct {
	T    testing.TB
	Cmd  *exec.Cmd
	PTY  *os.File
	gone chan struct{} // closed when the command has ended
	Done chan struct{} // closed when its output has been read, too

	mu   sync.Mutex
	more *sync.Cond
	text string // all output so far, without \r
	Seen int    // expect reads on from here
}

// Open starts a command on a new terminal.
func Open(t testing.TB, name string, args ...string) *Terminal {
	t.Helper()
	pty, tty, err := openpty()
	if err != nil {
		t.Fatal(err)
	}
	c := &Terminal{
		T: t, Cmd: exec.Command(name, args...), PTY: pty,
		gone: make(chan struct{}), Done: make(chan struct{}),
	}
	c.more = sync.NewCond(&c.mu)
	c.Cmd.Stdin, c.Cmd.Stdout, c.Cmd.Stderr = tty, tty, tty
	c.Cmd.Env = append(os.Environ(), "TERM=dumb", "LC_ALL=C.UTF-8")
	c.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	go func() {
		c.Cmd.Wait()
		close(c.gone)
	}()
	go c.read()
	t.Cleanup(func() {
		c.Cmd.Process.Kill()
		<-c.Done
		if t.Failed() {
			t.Logf("%s said:\n%s", name, c.All())
		}
	})
	return c
}

func openpty() (pty, tty *os.File, err error) {
	pty, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	n, err := unix.IoctlGetInt(int(pty.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(pty.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n),
			os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		pty.Close()
	}
	return pty, tty, err
}

func (c *Terminal) read() {
	defer close(c.Done)
	b := make([]byte, 4096)
	for last := false; ; {
		n, err := c.PTY.Read(b)
		c.mu.Lock()
		c.text += strings.ReplaceAll(string(b[:n]), "\r", "")
		c.more.Broadcast()
		c.mu.Unlock()
		if err == nil {
			continue
		}
		if last {
			return
		}
		// EIO: nobody has the terminal open. That is the end, or login(1), which hangs it up and
		// opens it again. A read that overlaps the last write and the close may miss what was
		// written; one that begins after the end cannot.
		select {
		case <-c.gone:
			last = true
		case <-time.After(time.Millisecond):
		}
	}
}

// All returns all output so far, without carriage returns.
func (c *Terminal) All() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text
}

// Expect waits for a match in the output behind the last match. It returns the match and its
// groups; a group that does not take part is "".
func (c *Terminal) Expect(pattern string) []string {
	c.T.Helper()
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(Patience, func() { c.Cmd.Process.Kill() })
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if m := re.FindStringSubmatchIndex(c.text[c.Seen:]); m != nil {
			var groups []string
			for i := 0; i < len(m); i += 2 {
				group := ""
				if m[i] >= 0 {
					group = c.text[c.Seen:][m[i]:m[i+1]]
				}
				groups = append(groups, group)
			}
			c.Seen += m[1]
			return groups
		}
		select {
		case <-c.Done:
			c.T.Fatalf("never said %q; said after the last match, then ended (%v):\n%s",
				pattern, c.Cmd.ProcessState, c.text[c.Seen:])
		default:
		}
		c.wait()
	}
}

// Asks waits for a match as Expect does, and returns it, or "" if the output ended before.
func (c *Terminal) Asks(pattern string) string {
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(Patience, c.Kill)
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if m := re.FindStringIndex(c.text[c.Seen:]); m != nil {
			match := c.text[c.Seen:][m[0]:m[1]]
			c.Seen += m[1]
			return match
		}
		select {
		case <-c.Done:
			return ""
		default:
		}
		c.wait()
	}
}

// Kill ends the command and its children. A program that ignores SIGHUP, as vlock may, would keep
// the terminal open.
func (c *Terminal) Kill() { syscall.Kill(-c.Cmd.Process.Pid, syscall.SIGKILL) }

// wait releases the lock until there is more output, or its end.
func (c *Terminal) wait() {
	end := make(chan struct{})
	go func() {
		select {
		case <-c.Done:
			c.mu.Lock()
			c.more.Broadcast()
			c.mu.Unlock()
		case <-end:
		}
	}()
	c.more.Wait()
	close(end)
}

// TypeLine types a line and ENTER.
func (c *Terminal) TypeLine(s string) {
	c.T.Helper()
	if _, err := c.PTY.WriteString(s + "\n"); err != nil {
		c.T.Fatal(err)
	}
}

// End waits for the command to end. It returns its exit status and the output behind the last
// match.
func (c *Terminal) End() (status int, rest string) {
	c.T.Helper()
	late := time.AfterFunc(Patience, func() { c.Cmd.Process.Kill() })
	defer late.Stop()
	<-c.Done
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Cmd.ProcessState.ExitCode(), c.text[c.Seen:]
}

// EndsWell waits for the end, and fails unless the exit status is 0.
func (c *Terminal) EndsWell() {
	c.T.Helper()
	if status, rest := c.End(); status != 0 {
		c.T.Errorf("exit status %d: %s", status, rest)
	}
}

// KeepTyping types a line repeatedly. vlock and polkit's agent drop input between their prompt and
// the moment at which they read.
func (c *Terminal) KeepTyping(line string) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		again := time.NewTicker(5 * time.Second)
		defer again.Stop()
		for {
			c.PTY.WriteString(line + "\n") // to nobody if the program has ended
			select {
			case <-end:
				return
			case <-again.C:
			}
		}
	}()
	return func() { close(end); <-ended }
}

// WentWell waits for the end of a program, and fails unless it succeeded.
func (c *Terminal) WentWell() {
	c.T.Helper()
	if status, rest := c.End(); status != 0 {
		c.T.Errorf("exit status %d, said %q", status, rest)
	}
}
