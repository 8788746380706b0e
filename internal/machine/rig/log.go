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

// Syslog is this machine's: /dev/log, where pam_syslog(3) writes.
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

// Mark returns the end of all that has been written by now, for the others to begin at.
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

// write writes a line that nobody else writes.
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

// Since returns every line from mark on, whoever wrote it.
func (j *Journal) Since(mark int) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines[mark:])
}

// Settle waits until all has been read that was written by now: a socket keeps the order.
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

// Exactly waits for so many of the module's lines that match, from mark on, and for all that was
// written by then: no more.
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

// ending begins the one line of an attempt.
var ending = regexp.MustCompile(`: (signed-in|authorized|denied|failed) `)

// Lines are what the log has of attempts from mark on, once there is one.
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

// OneLine is the line of the one attempt since mark.
func OneLine(t *testing.T, mark int, begin string) string {
	t.Helper()
	all := Lines(t, mark)
	if len(all) != 1 || !strings.Contains(all[0], ": "+begin+" ") {
		t.Fatalf("want one line, %s; got %q", begin, all)
	}
	return all[0]
}
