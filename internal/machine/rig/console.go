// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A Console is the serial console of an emulated machine. A busy machine may take minutes for the
// next line, so there is no time limit while the machine works. The console fails if the machine
// says that it gives up, ends, or is silent while it does nothing.
type Console struct {
	*Terminal
	silence time.Duration // of a machine that does nothing
	pause   time.Duration // between two looks at it
}

// NewConsole starts a program that emulates a machine, and attaches to its console.
func NewConsole(t testing.TB, name string, args ...string) *Console {
	t.Helper()
	return &Console{Open(t, name, args...), 3 * time.Minute, time.Second}
}

// givenUp matches messages after which no machine goes on by itself.
var givenUp = regexp.MustCompile(`Kernel panic - not syncing.*|You are in emergency mode|Give root password for maintenance|\(initramfs\) |` +
	`Freezing execution|Unable to mount root fs.*`)

// A stillness is the time in which a machine has said nothing and had nothing to do.
type stillness struct {
	said  int // letters
	since time.Time
}

// look is called now and then. It returns the length of the stillness.
func (s *stillness) look(said int, busy bool, now time.Time) time.Duration {
	if said != s.said || busy || s.since.IsZero() {
		s.said, s.since = said, now
	}
	return now.Sub(s.since)
}

// Until waits for a match in the output behind the last match. It returns the output before it, and
// its groups.
func (c *Console) Until(pattern string) (groups []string, err error) {
	re := regexp.MustCompile(`(?s)(.*?)(?:` + pattern + `)`)
	var still stillness
	for {
		select {
		case <-c.Done:
		case <-time.After(c.pause):
		}
		c.mu.Lock()
		fresh, said := c.text[c.Seen:], len(c.text)
		m := re.FindStringSubmatchIndex(fresh)
		if m != nil {
			c.Seen += m[1]
		}
		c.mu.Unlock()
		switch ended := c.Ended(); {
		case m != nil:
			return re.FindStringSubmatch(fresh), nil
		case givenUp.MatchString(fresh):
			return nil, fmt.Errorf("the machine has given up: %s", givenUp.FindString(fresh))
		case ended:
			return nil, fmt.Errorf("the machine has ended (%v) before it said %q",
				c.Cmd.ProcessState, pattern)
		case still.look(said, working(c.Cmd.Process.Pid), time.Now()) > c.silence:
			return nil, fmt.Errorf("the machine hangs: it has said and done nothing for %v, and "+
				"not said %q", c.silence, pattern)
		}
	}
}

// Ended reports whether the emulation has ended.
func (c *Console) Ended() bool {
	select {
	case <-c.Done:
		return true
	default:
		return false
	}
}

// Must is Until for a match that must come.
func (c *Console) Must(t *testing.T, pattern string) []string {
	t.Helper()
	groups, err := c.Until(pattern)
	if err != nil {
		t.Fatalf("%v; it said:\n%s", err, TailOf(c.All(), 4000))
	}
	return groups
}

// TailOf returns the last n bytes of a text.
func TailOf(s string, n int) string { return s[max(0, len(s)-n):] }

// working reports whether a thread of a process runs, or would if it had a processor (proc(5)).
// This includes an emulator that gets hardly any time.
func working(pid int) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		_, after, found := strings.Cut(string(text), ") ")
		if found && (after[0] == 'R' || after[0] == 'D') {
			return true
		}
	}
	return false
}
