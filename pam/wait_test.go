// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// The watched connection is the one that the server has accepted, in either family or both, and
// never one that this process has made to the same host, a directory server for instance.
func TestClientIsFound(t *testing.T) {
	wait := harness(t, "wait")
	for steps, want := range map[string]string{
		"4-to-4 from=127.0.0.1":            "server",
		"4-to-6 from=127.0.0.1":            "server",
		"4-to-6 from=::ffff:127.0.0.1":     "none", // no server gives such an address
		"6-to-6 from=::1":                  "server",
		"6-to-6 from=127.0.0.1":            "none",
		"4-to-4 from=127.0.0.2":            "none",
		"4-to-4 end-server from=127.0.0.1": "none",
		"4-to-6 end-server from=127.0.0.1": "none",
		"6-to-6 end-server from=::1":       "none",
		"from=127.0.0.1":                   "none",
		"4-to-4 leave from=127.0.0.1 wait": "server ECANCELED",
		"4-to-6 leave from=127.0.0.1 wait": "server ECANCELED",
		"4-to-4 speak wait":                "worker",

		// No name is looked up: the only connection counts.
		"4-to-4 from=client.example":            "server",
		"4-to-6 from=client.example":            "server",
		"6-to-6 from=client.example":            "server",
		"4-to-4 dup from=client.example":        "server",
		"4-to-4 listener from=client.example":   "server",
		"local 4-to-4 from=client.example":      "server",
		"4-to-4 leave from=client.example wait": "server ECANCELED",
		"4-to-4 end-server from=client.example": "none",
		"4-to-4 6-to-6 from=client.example":     "none", // which?
		"4-to-4 6-to-6 from=::1":                "server",
		"listener from=client.example":          "none",
		"local from=client.example":             "none",
		"in-sshd local from=UNKNOWN":            "server",
		"in-sshd local from=":                   "server",
		"in-sshd local dup pair from-nowhere":   "server",
		"in-sshd local leave from-nowhere wait": "server ECANCELED",
		"in-sshd local end-server from-nowhere": "none",
		"in-sshd pair from-nowhere":             "none",
		"in-sshd 4-to-4 from-nowhere":           "server",
		"4-to-4 from-nowhere":                   "none",
		// of the program that started su, for instance
		"local from-nowhere":     "none",
		"4-to-4 from=fe80::1%lo": "none",
		// two clients behind one address: which?
		"4-to-4 4-to-4 from=127.0.0.1": "none",
		"4-to-4 4-to-6 from=127.0.0.1": "none",
		"4-to-4 dup from=127.0.0.1":    "server",
		"4-to-4 wait":                  "deadline",
		"4-to-4 leave speak wait":      "ECANCELED",
	} {
		got := play(t, wait, strings.Fields(steps)...)
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", steps, got, want)
		}
	}
}

// Signals that end the host end the wait, whether the host has a handler or not. An alarm that the
// host handles is a timer of its own.
func TestWaitIsEnded(t *testing.T) {
	wait := harness(t, "wait")
	for steps, want := range map[string]string{
		"default=1 wait": "ECANCELED", "handled=1 wait": "ECANCELED", "ignored=1 wait": "deadline",
		"default=2 wait": "ECANCELED", "handled=2 wait": "ECANCELED", "ignored=2 wait": "deadline",
		"default=3 wait": "ECANCELED", "handled=3 wait": "ECANCELED", "ignored=3 wait": "deadline",
		"default=15 wait": "ECANCELED", "handled=15 wait": "ECANCELED",
		"ignored=15 wait": "deadline",
		"handled=14 wait": "deadline", "ignored=14 wait": "deadline",
		"handled=10 wait": "deadline", "default=10 wait": "deadline",
	} {
		got := play(t, wait, strings.Fields(steps)...)
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %q, want %s", steps, got, want)
		}
	}
}
