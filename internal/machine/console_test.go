// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A console is the serial console of an emulated machine. It may take a machine minutes to say the next word, where others have the
// processors too; so no time is too long for what is still at work. What counts as a failure is what a machine says before it gives up,
// its end, and silence while it does nothing.
type console struct {
	*terminal
	silence time.Duration // of a machine that does nothing
	pause   time.Duration // between two looks at it
}

func newConsole(t testing.TB, name string, args ...string) *console {
	t.Helper()
	return &console{open(t, name, args...), 3 * time.Minute, time.Second}
}

// givenUp is what no machine goes on from by itself.
var givenUp = regexp.MustCompile(`Kernel panic - not syncing.*|You are in emergency mode|Give root password for maintenance|\(initramfs\) |` +
	`Freezing execution|Unable to mount root fs.*`)

// A stillness is how long a machine has said nothing and had nothing to do.
type stillness struct {
	said  int // letters
	since time.Time
}

// look is called now and then, and returns how long.
func (s *stillness) look(said int, busy bool, now time.Time) time.Duration {
	if said != s.said || busy || s.since.IsZero() {
		s.said, s.since = said, now
	}
	return now.Sub(s.since)
}

// until waits for a match in what has not been expected yet, and returns what was said before it, and its groups.
func (c *console) until(pattern string) (groups []string, err error) {
	re := regexp.MustCompile(`(?s)(.*?)(?:` + pattern + `)`)
	var still stillness
	for {
		select {
		case <-c.done:
		case <-time.After(c.pause):
		}
		c.mu.Lock()
		fresh, said := c.text[c.seen:], len(c.text)
		m := re.FindStringSubmatchIndex(fresh)
		if m != nil {
			c.seen += m[1]
		}
		c.mu.Unlock()
		switch ended := c.ended(); {
		case m != nil:
			return re.FindStringSubmatch(fresh), nil
		case givenUp.MatchString(fresh):
			return nil, fmt.Errorf("the machine has given up: %s", givenUp.FindString(fresh))
		case ended:
			return nil, fmt.Errorf("the machine has ended (%v) before it said %q", c.cmd.ProcessState, pattern)
		case still.look(said, working(c.cmd.Process.Pid), time.Now()) > c.silence:
			return nil, fmt.Errorf("the machine hangs: it has said and done nothing for %v, and not said %q", c.silence, pattern)
		}
	}
}

func (c *console) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// must is until for what has to come.
func (c *console) must(t *testing.T, pattern string) []string {
	t.Helper()
	groups, err := c.until(pattern)
	if err != nil {
		t.Fatalf("%v; it said:\n%s", err, tailOf(c.all(), 4000))
	}
	return groups
}

func tailOf(s string, n int) string { return s[max(0, len(s)-n):] }

// working is whether a thread of a process runs or would if it had a processor (proc(5)): also of an emulator that gets hardly any time.
func working(pid int) bool {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		if _, after, found := strings.Cut(string(text), ") "); found && (after[0] == 'R' || after[0] == 'D') {
			return true
		}
	}
	return false
}

func TestStillness(t *testing.T) {
	began := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var s stillness
	for i, look := range []struct {
		second int
		said   int
		busy   bool
		want   time.Duration
	}{
		{0, 0, false, 0}, {10, 0, false, 10 * time.Second}, {20, 5, false, 0}, {30, 5, true, 0}, {40, 5, false, 10 * time.Second},
		{90, 5, false, time.Minute}, {95, 5, true, 0}, {99, 5, false, 4 * time.Second},
	} {
		if got := s.look(look.said, look.busy, began.Add(time.Duration(look.second)*time.Second)); got != look.want {
			t.Errorf("look %d: %v, not %v", i, got, look.want)
		}
	}
}

// What a machine does, and what the console makes of it.
func TestConsole(t *testing.T) {
	for name, test := range map[string]struct{ machine, found, err string }{
		"says it":       {`echo booting; echo "vm# "; sleep 1000`, "booting\n", ""},
		"works first":   {`i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo "vm# "; sleep 1000`, "", ""},
		"panics":        {`echo "[ 1.2] Kernel panic - not syncing: VFS: no root"; sleep 1000`, "", "given up: Kernel panic - not syncing: VFS: no root"},
		"asks for help": {`echo "You are in emergency mode. After logging in"; sleep 1000`, "", "given up: You are in emergency mode"},
		"ends":          {`echo booting; exit 3`, "", "ended (exit status 3)"},
		"hangs":         {`echo booting; exec sleep 1000`, "", "hangs"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConsole(t, "sh", "-c", test.machine)
			c.silence, c.pause = 300*time.Millisecond, 10*time.Millisecond
			got, err := c.until(`vm# `)
			switch {
			case test.err == "" && (err != nil || got[1] != test.found):
				t.Errorf("%q, %v", got, err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("%v", err)
			}
		})
	}
}
