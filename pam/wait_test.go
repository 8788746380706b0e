// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// The connection that is watched is the one its server has accepted, in either family or both, and never one that this process
// has made to the same host, a directory server for instance.
func TestClientIsFound(t *testing.T) {
	wait := harness(t, "wait")
	for steps, want := range map[string]string{
		"4-to-4 from=127.0.0.1":            "server",
		"4-to-6 from=127.0.0.1":            "server",
		"4-to-6 from=::ffff:127.0.0.1":     "none", // no server says so
		"6-to-6 from=::1":                  "server",
		"6-to-6 from=127.0.0.1":            "none",
		"4-to-4 from=127.0.0.2":            "none",
		"4-to-4 from=localhost":            "none",
		"4-to-4 end-server from=127.0.0.1": "none",
		"4-to-6 end-server from=127.0.0.1": "none",
		"6-to-6 end-server from=::1":       "none",
		"from=127.0.0.1":                   "none",
		"4-to-4 leave from=127.0.0.1 wait": "server ECANCELED",
		"4-to-6 leave from=127.0.0.1 wait": "server ECANCELED",
		"4-to-4 speak wait":                "worker",
		"4-to-4 wait":                      "deadline",
		"4-to-4 leave speak wait":          "ECANCELED",
	} {
		if got := play(t, wait, strings.Fields(steps)...); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", steps, got, want)
		}
	}
}

// Signals by which somebody ends the host end the wait, whether the host has a handler or not. An alarm that the host handles
// is a timer of its own.
func TestWaitIsEnded(t *testing.T) {
	wait := harness(t, "wait")
	for steps, want := range map[string]string{
		"default=1 wait": "ECANCELED", "handled=1 wait": "ECANCELED", "ignored=1 wait": "deadline",
		"default=2 wait": "ECANCELED", "handled=2 wait": "ECANCELED", "ignored=2 wait": "deadline",
		"default=3 wait": "ECANCELED", "handled=3 wait": "ECANCELED", "ignored=3 wait": "deadline",
		"default=15 wait": "ECANCELED", "handled=15 wait": "ECANCELED", "ignored=15 wait": "deadline",
		"handled=14 wait": "deadline", "ignored=14 wait": "deadline",
		"handled=10 wait": "deadline", "default=10 wait": "deadline",
	} {
		if got := play(t, wait, strings.Fields(steps)...); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", steps, got, want)
		}
	}
}
