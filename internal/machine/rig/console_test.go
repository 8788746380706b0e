// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"strings"
	"testing"
	"time"
)

func TestStillness(t *testing.T) {
	began := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var s stillness
	for i, look := range []struct {
		second int
		said   int
		busy   bool
		want   time.Duration
	}{
		{0, 0, false, 0}, {10, 0, false, 10 * time.Second}, {20, 5, false, 0}, {30, 5, true, 0},
		{40, 5, false, 10 * time.Second},
		{90, 5, false, time.Minute}, {95, 5, true, 0}, {99, 5, false, 4 * time.Second},
	} {
		got := s.look(look.said, look.busy, began.Add(time.Duration(look.second)*time.Second))
		if got != look.want {
			t.Errorf("look %d: %v, not %v", i, got, look.want)
		}
	}
}

// Each row has what a machine does, and what the console concludes.
func TestConsole(t *testing.T) {
	for name, test := range map[string]struct{ machine, found, err string }{
		"says it": {`echo booting; echo "vm# "; sleep 1000`, "booting\n", ""},
		"works first": {`i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; echo "vm# "; sleep 1000`,
			"", ""},
		"panics": {`echo "[ 1.2] Kernel panic - not syncing: VFS: no root"; sleep 1000`, "",
			"given up: Kernel panic - not syncing: VFS: no root"},
		"asks for help": {`echo "You are in emergency mode. After logging in"; sleep 1000`, "",
			"given up: You are in emergency mode"},
		"ends":  {`echo booting; exit 3`, "", "ended (exit status 3)"},
		"hangs": {`echo booting; exec sleep 1000`, "", "hangs"},
	} {
		t.Run(name, func(t *testing.T) {
			c := NewConsole(t, "sh", "-c", test.machine)
			c.silence, c.pause = 300*time.Millisecond, 10*time.Millisecond
			got, err := c.Until(`vm# `)
			switch {
			case test.err == "" && (err != nil || got[1] != test.found):
				t.Errorf("%q, %v", got, err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("%v", err)
			}
		})
	}
}
