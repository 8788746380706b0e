// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"bytes"
	"crypto/rand"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Syslog is the log of this machine: /dev/log, where pam_syslog(3) writes.
var Syslog Journal

// A Journal keeps the lines that it has read.
type Journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *Journal) start() {
	os.Remove("/dev/log") // an earlier run's
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		panic(err)
	}
	if err := os.Chmod("/dev/log", 0o666); err != nil {
		panic(err)
	}
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, err := l.Read(b)
			if err != nil {
				return
			}
			j.mu.Lock()
			j.lines = append(j.lines, string(bytes.TrimSpace(b[:n])))
			j.mu.Unlock()
		}
	}()
}

// Find returns the module's log lines that match, from mark on.
func (j *Journal) Find(mark int, pattern string) []string {
	re := regexp.MustCompile(pattern)
	j.mu.Lock()
	defer j.mu.Unlock()
	var found []string
	for _, line := range j.lines[mark:] {
		if strings.Contains(line, "pam_aad(") && re.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

// Mark returns the end of what has been written by now, as a beginning for the other methods.
func (j *Journal) Mark() int {
	end, err := j.write()
	if err != nil {
		panic(err)
	}
	for {
		j.mu.Lock()
		at := slices.Index(j.lines, end)
		j.mu.Unlock()
		if at >= 0 {
			return at + 1
		}
		time.Sleep(time.Millisecond)
	}
}

// write writes a unique line.
func (j *Journal) write() (line string, err error) {
	c, err := net.Dial("unixgram", "/dev/log")
	if err != nil {
		return "", err
	}
	defer c.Close()
	line = rand.Text()
	_, err = c.Write([]byte(line))
	return line, err
}

// Since returns every line from mark on, of any program.
func (j *Journal) Since(mark int) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines[mark:])
}

// Settle waits until everything has been read that was written by now. A socket keeps the order.
func (j *Journal) Settle(t *testing.T) {
	t.Helper()
	end, err := j.write()
	if err != nil {
		t.Fatal(err)
	}
	Eventually(t, "the log is read", Patience, func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return slices.Contains(j.lines, end)
	})
}

// Exactly waits for that number of the module's lines that match, from mark on. Everything that was
// written by then holds no more of them.
func (j *Journal) Exactly(t *testing.T, mark, n int, pattern string) []string {
	t.Helper()
	for end := time.Now().Add(Patience); len(j.Find(mark, pattern)) < n && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	j.Settle(t)
	found := j.Find(mark, pattern)
	if len(found) != n {
		t.Errorf("%d lines %s, want %d; log: %q", len(found), pattern, n, j.Find(mark, ""))
	}
	return found
}

// ending matches the beginning of the one line of an attempt.
var ending = regexp.MustCompile(`: (signed-in|authorized|denied|failed) `)

// Lines waits for a line of an attempt from mark on, and returns all of them.
func Lines(t *testing.T, mark int) []string {
	t.Helper()
	var found []string
	Eventually(t, "the log has a line", Patience, func() bool {
		found = Syslog.Find(mark, ending.String())
		return len(found) > 0
	})
	Syslog.Settle(t)
	return Syslog.Find(mark, ending.String())
}

// OneLine returns the line of the only attempt since mark.
func OneLine(t *testing.T, mark int, begin string) string {
	t.Helper()
	all := Lines(t, mark)
	if len(all) != 1 || !strings.Contains(all[0], ": "+begin+" ") {
		t.Fatalf("want one line, %s; got %q", begin, all)
	}
	return all[0]
}
