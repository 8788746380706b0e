// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

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

// patience is how long anything here may take before it counts as never. No test measures time with it.
var patience = 3 * time.Minute

// terminal is a command running on a pseudo-terminal of its own, as if typed by a person.
type terminal struct {
	t    testing.TB
	cmd  *exec.Cmd
	pty  *os.File
	gone chan struct{} // closed when the command has ended
	done chan struct{} // closed when its output has been read, too

	mu   sync.Mutex
	more *sync.Cond
	text string // all output so far, without \r
	seen int    // expect reads on from here
}

// open starts a command on a new terminal.
func open(t testing.TB, name string, args ...string) *terminal {
	t.Helper()
	pty, tty, err := openpty()
	if err != nil {
		t.Fatal(err)
	}
	c := &terminal{t: t, cmd: exec.Command(name, args...), pty: pty, gone: make(chan struct{}), done: make(chan struct{})}
	c.more = sync.NewCond(&c.mu)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = tty, tty, tty
	c.cmd.Env = append(os.Environ(), "TERM=dumb", "LC_ALL=C.UTF-8")
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	go func() {
		c.cmd.Wait()
		close(c.gone)
	}()
	go c.read()
	t.Cleanup(func() {
		c.cmd.Process.Kill()
		<-c.done
		if t.Failed() {
			t.Logf("%s said:\n%s", name, c.all())
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
		tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		pty.Close()
	}
	return pty, tty, err
}

func (c *terminal) read() {
	defer close(c.done)
	b := make([]byte, 4096)
	for last := false; ; {
		n, err := c.pty.Read(b)
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
		// EIO: nobody has the terminal open. That is the end, or login(1), which hangs it up and opens it again. A read that
		// overlaps the last write and the close may miss what was written; one that begins after the end cannot.
		select {
		case <-c.gone:
			last = true
		case <-time.After(time.Millisecond):
		}
	}
}

func (c *terminal) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text
}

// expect waits for a match in what has not been expected yet and returns it with its groups; one without part in it is "".
func (c *terminal) expect(pattern string) []string {
	c.t.Helper()
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if m := re.FindStringSubmatchIndex(c.text[c.seen:]); m != nil {
			var groups []string
			for i := 0; i < len(m); i += 2 {
				group := ""
				if m[i] >= 0 {
					group = c.text[c.seen:][m[i]:m[i+1]]
				}
				groups = append(groups, group)
			}
			c.seen += m[1]
			return groups
		}
		select {
		case <-c.done:
			c.t.Fatalf("never said %q; said after the last match, then ended (%v):\n%s", pattern, c.cmd.ProcessState, c.text[c.seen:])
		default:
		}
		c.wait()
	}
}

// asks waits for a match as expect does, and returns it; "" if the end came before.
func (c *terminal) asks(pattern string) string {
	re := regexp.MustCompile(pattern)
	late := time.AfterFunc(patience, c.kill)
	defer late.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if m := re.FindStringIndex(c.text[c.seen:]); m != nil {
			match := c.text[c.seen:][m[0]:m[1]]
			c.seen += m[1]
			return match
		}
		select {
		case <-c.done:
			return ""
		default:
		}
		c.wait()
	}
}

// kill ends the command and what it has started: a program that ignores SIGHUP, as vlock may, would keep the terminal open for ever.
func (c *terminal) kill() { syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }

// wait lets go of the lock until there is more output or the end of it.
func (c *terminal) wait() {
	end := make(chan struct{})
	go func() {
		select {
		case <-c.done:
			c.mu.Lock()
			c.more.Broadcast()
			c.mu.Unlock()
		case <-end:
		}
	}()
	c.more.Wait()
	close(end)
}

// typeLine types a line and ENTER.
func (c *terminal) typeLine(s string) {
	c.t.Helper()
	if _, err := c.pty.WriteString(s + "\n"); err != nil {
		c.t.Fatal(err)
	}
}

// end waits for the command to end and returns its exit status and what it said after the last expected text.
func (c *terminal) end() (status int, rest string) {
	c.t.Helper()
	late := time.AfterFunc(patience, func() { c.cmd.Process.Kill() })
	defer late.Stop()
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cmd.ProcessState.ExitCode(), c.text[c.seen:]
}
