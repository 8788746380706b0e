// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// childStore names the store, and childName the person, for a process of this test binary that runs
// one sign-in.
const (
	childStore = "AADLOGIN_TEST_STORE"
	childName  = "AADLOGIN_TEST_NAME"
	childLimit = "AADLOGIN_TEST_LIMIT" // anything: it can write small files only
	childTimed = "AADLOGIN_TEST_TIMED" // anything: it says when it was done
)

// TestChild is that process. It closes descriptor 3 when it is ready, and begins at the end of its
// input.
func TestChild(t *testing.T) {
	dir, name := os.Getenv(childStore), os.Getenv(childName)
	if dir == "" {
		t.Skip("run by other tests")
	}
	if os.Getenv(childLimit) != "" {
		err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 2500, Max: 2500})
		if err != nil {
			t.Fatal(err)
		}
	}
	s := Store{Dir: dir, Etc: etc("", "")}
	os.NewFile(3, "").Close()
	io.Copy(io.Discard, os.Stdin)
	if os.Getenv(childTimed) != "" {
		if err := s.Update(func(e *Edit) error { return firstSignIn(e, name) }); err != nil {
			t.Fatal(err)
		}
		fmt.Println("stored", uptime())
		return
	}
	if err := s.Update(func(e *Edit) error { return firstSignIn(e, name) }); err != nil {
		fmt.Println("error:", err)
		return
	}
	if _, err := open(t, s).ByName(name); err != nil { // it hears when it is there
		fmt.Println("error:", err)
		return
	}
	fmt.Println("stored")
}

type child struct {
	name string
	cmd  *exec.Cmd
	out  bytes.Buffer
}

func childOf(t testing.TB, s Store, name string, env ...string) *child {
	t.Helper()
	c := &child{name: name, cmd: exec.Command(os.Args[0], "-test.run=^TestChild$")}
	c.cmd.Env = append(os.Environ(), append(env, childStore+"="+s.Dir, childName+"="+name)...)
	c.cmd.Stdout, c.cmd.Stderr = &c.out, &c.out
	return c
}

// starts starts the process with this input, and returns when it waits for the end of the input.
func (c *child) starts(t testing.TB, input *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	c.cmd.Stdin, c.cmd.ExtraFiles = input, []*os.File{write}
	err = c.cmd.Start()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			c.cmd.Process.Kill()
			c.cmd.Wait()
		}
	})
	read.Read(make([]byte, 1))
}

// queued starts children, and returns when they stand in line in this order. Nobody has a turn
// until release is called.
func queued(t *testing.T, s Store, all ...*child) (release func()) {
	t.Helper()
	var inputs []*os.File
	for _, c := range all {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer write.Close()
		inputs = append(inputs, write)
		c.starts(t, read)
		read.Close()
	}
	release = hold(t, s)
	for _, input := range inputs {
		before := drawn(t, s)
		input.Close()
		for drawn(t, s) == before {
			time.Sleep(time.Millisecond)
		}
	}
	return release
}

// drawn returns the number that was drawn last. What the kernel says in /proc/locks would not do:
// it has the locks of other file systems with the same inode, and a read of a long list may have
// one lock twice.
func drawn(t *testing.T, s Store) uint64 {
	t.Helper()
	f, err := os.Open(s.path(lockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return (&turn{file: f}).get(drawnAt)
}

func (c *child) says() string {
	c.cmd.Wait()
	text, _, _ := strings.Cut(c.out.String(), "\n")
	return text
}

// hold takes the lock as any version of this software does.
func hold(t *testing.T, s Store) (release func()) {
	t.Helper()
	f, err := os.OpenFile(s.path(lockFile), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	return func() { f.Close() }
}

// replacements counts the replacements of the store from now on.
func replacements(t *testing.T, s Store) (count func() int) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if _, err := unix.InotifyAddWatch(fd, s.path("."), unix.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	return func() (n int) {
		b := make([]byte, 1<<16)
		size, err := unix.Read(fd, b)
		if err != nil && err != unix.EAGAIN {
			t.Fatal(err)
		}
		for b = b[:max(0, size)]; len(b) > 0; {
			end := unix.SizeofInotifyEvent + int(little.Uint32(b[12:]))
			if strings.TrimRight(string(b[unix.SizeofInotifyEvent:end]), "\x00") == storeFile {
				n++
			}
			b = b[end:]
		}
		return n
	}
}

func names(t *testing.T, s Store) (all []string) {
	t.Helper()
	snapshot := open(t, s)
	if err := snapshot.Check(); err != nil {
		t.Fatal(err)
	}
	for a := range snapshot.All() {
		all = append(all, a.Name)
	}
	return all
}

// wantNames fails unless the store has accounts with these names, in this order.
func wantNames(t *testing.T, s Store, want ...string) {
	t.Helper()
	if got := names(t, s); !slices.Equal(got, want) {
		t.Errorf("stored %q, want %q", got, want)
	}
}
