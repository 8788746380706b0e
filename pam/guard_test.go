// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// A host sees nothing of its worker, whatever it does about children, and still sees its own.
func TestWorkerIsOutOfSight(t *testing.T) {
	guard := harness(t, "guard")
	for host, own := range map[string]string{
		"":               "there",
		"default":        "there",
		"handles":        "there",
		"reaps":          "there",
		"signalfd":       "there",
		"ignores":        "gone", // such a host need not wait for its children
		"never-waits":    "gone",
		"loops":          "waited for",
		"handles loops":  "waited for",
		"threads":        "there",
		"threads reaps":  "there",
		"threads loops":  "waited for",
		"ignores loops":  "waited for",
		"signalfd loops": "waited for",
	} {
		for _, worker := range []string{"exits", "crashes", "stops", "stays"} {
			got := play(t, guard, append(strings.Fields(host), worker)...)
			want := []string{
				"worker gone", "guard gone", "signals 0", "ends 0", "own child " + own,
				"children none",
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q, a worker that %s: %q, want %q", host, worker, got, want)
			}
		}
	}
}

// Where no guard is possible, the worker is a child like any other: the host sees it, and it is
// reaped all the same.
func TestWorkerInSight(t *testing.T) {
	guard := harness(t, "guard")
	for host, signals := range map[string]string{
		"default":  "0",
		"handles":  "1",
		"signalfd": "1",
		"ignores":  "0",
	} {
		got := play(t, guard, append(strings.Fields(host), "no-clone", "stays")...)
		for _, line := range []string{
			"worker gone", "guard none", "signals " + signals, "children none",
		} {
			if !slices.Contains(got, line) {
				t.Errorf("%q: no %q in %q", host, line, got)
			}
		}
	}
}

// A worker that waits for a file server which is gone cannot be killed. Its host goes on.
func TestWorkerThatCannotBeKilled(t *testing.T) {
	guard := harness(t, "guard")
	for _, host := range []string{"default", "no-clone"} {
		switch got := play(t, guard, host, "hangs"); {
		case slices.Equal(got, []string{"no FUSE"}):
			t.Skip("no FUSE here")
		case !slices.Equal(got, []string{"worker left"}):
			t.Errorf("%s: %q", host, got)
		}
	}
}
