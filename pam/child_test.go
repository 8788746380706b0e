// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// atStart has everything that a worker has, whatever its host is.
var atStart = []string{
	"worker fd0 /dev/null",
	"worker fd1 /dev/null",
	"worker fd2 pipe",
	"worker fd3 socket",
	"worker as unlimited",
	"worker data unlimited",
	"worker fsize unlimited",
	"worker nproc unlimited",
	"worker cpu unlimited",
	"worker nofile 1024 4096",
	"worker core 0 0",
	"worker stack 8388608",
	"worker environment 0",
	"worker ids 0 0 0 0 0 0 0",
	"worker cwd /",
	"worker umask 077",
	"worker session own",
	"worker dies-by 9",
	"worker dumpable 0",
	"worker policy 0",
	"worker nice 0",
	"worker disk usual",
	"worker processors all",
	"worker slack 50000",
	"worker oom 0",
	"worker memory 0",
	"worker personality 0",
	"worker stack-for-signals none",
	"worker codeset ANSI_X3.4-1968",
	"worker woken 1",
	"worker request 2 user@contoso.example sudo",
}

// after is the state of a host after a worker has ended.
var after = []string{"host worker gone", "host children none", "host descriptors +0"}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a worker becomes root: run as root")
	}
}

// Nothing of the host reaches the worker, and the host has what it had before.
func TestWorkerAtStart(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	for _, host := range []string{
		"", "close0", "close1", "close2", "close01", "close02", "close12", "close012",
		"many", "many no-close-range", "close012 no-close-range", "close012 many no-close-range",
		"no-close-range",
		"close012 few-descriptors", "thousands", "thousands no-close-range", "close012 thousands",
		"chld-ignored", "chld-reaped", "chld-nowait", "handlers", "ignores",
		"blocked", "handlers blocked",
		"limits", "environment", "sudo", "umask", "no-clone",
		"no-clone blocked chld-ignored close012",
		"sudo limits environment umask blocked ignores close012 many",
		"slow", "real-time", "signal-stack", "locale",
		"slow signal-stack locale sudo close012 few-descriptors",
	} {
		t.Run(host, func(t *testing.T) {
			for _, ending := range []string{"exit", "return", "crash"} {
				compare(t, ending,
					normalized(t, host, play(t, child, append(strings.Fields(host), ending)...)),
					"host mask same")
			}
			got := normalized(t, host, play(t, child, append(strings.Fields(host), "wait")...))
			compare(t, "wait", got, "host mask same", "worker waits")
		})
	}
}

// normalized returns the report of a worker as if every host had the descriptors for a second pipe.
func normalized(t *testing.T, host string, got []string) []string {
	t.Helper()
	i := slices.Index(got, "worker fd2 /dev/null")
	if i >= 0 && strings.Contains(host, "few-descriptors") {
		got[i] = "worker fd2 pipe"
	}
	return got
}

// A worker that dies may say why. However long the text is, neither the worker nor its host waits
// for the other.
func TestWorkerTalks(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	for _, host := range []string{"", "close2", "close012", "no-clone"} {
		got := play(t, child, append(strings.Fields(host), "talk")...)
		compare(t, "talk", got, "host mask same", "host heard some of it, and does not wait")
	}
}

func compare(t *testing.T, ending string, got []string, more ...string) {
	t.Helper()
	want := slices.Concat(atStart, after, more)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: no %q", ending, line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: %q", ending, line)
		}
	}
}

// A worker ends with its conversation, whatever it does about signals and whatever the host does
// about children.
func TestWorkerIsKilled(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	for _, host := range []string{
		"", "chld-ignored", "chld-reaped", "chld-nowait", "blocked", "ignores", "close012",
		"no-clone", "no-clone chld-ignored",
	} {
		t.Run(host, func(t *testing.T) {
			compare(t, "deaf", play(t, child, append(strings.Fields(host), "deaf")...),
				"host mask same", "worker waits")
		})
	}
	for _, host := range []string{"", "blocked", "close012", "no-clone"} {
		t.Run("stopped "+host, func(t *testing.T) {
			compare(t, "stop", play(t, child, append(strings.Fields(host), "stop")...),
				"host mask same", "host saw-it stopped")
		})
	}
}

// When a host is killed, its worker ends.
func TestWorkerDiesWithItsHost(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	for _, ending := range []string{"wait", "deaf"} {
		for host, of := range map[string][]string{
			"sudo":          {"guard", "worker"},
			"sudo no-clone": {"worker"},
		} {
			got := play(t, child,
				append(append([]string{"orphan"}, strings.Fields(host)...), ending)...)
			for _, process := range of {
				line := "host " + process + " killed-by 9"
				if !slices.Contains(got, "worker waits") || !slices.Contains(got, line) {
					t.Errorf("%s, %s: no %q in %q", host, ending, line, got)
				}
			}
		}
	}
}

// Without a worker the host gets the reason, and has everything that it had before.
func TestWorkerCannotStart(t *testing.T) {
	child := harness(t, "child")
	for host, want := range map[string][]string{
		"no-fork": {"host failed Resource temporarily unavailable",
			"host mask same", "host descriptors +0"},
		"no-fork no-clone": {"host failed Resource temporarily unavailable",
			"host mask same", "host descriptors +0"},
		"no-fork blocked": {"host failed Resource temporarily unavailable",
			"host mask same", "host descriptors +0"},
		"no-descriptor": {"host failed Too many open files",
			"host mask same", "host descriptors +0"},
	} {
		got := play(t, child, append(strings.Fields(host), "exit")...)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

// Without root's permissions there is no worker either: it ends before it does anything.
func TestWorkerNeedsRoot(t *testing.T) {
	asRoot(t)
	got := play(t, harness(t, "child"), "unprivileged", "wait")
	for _, line := range append([]string{"host mask same"}, after...) {
		if !slices.Contains(got, line) {
			t.Errorf("no %q in %q", line, got)
		}
	}
	for _, line := range got {
		if strings.HasPrefix(line, "worker ") {
			t.Errorf("%q", line)
		}
	}
}

// fork catches the other threads of a host with any locks, and the worker must work without these
// locks.
func TestWorkerOfManyThreads(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	const failed = `failed reason="worker-failed" account="user@contoso.example" service="sudo" step="become root" error="errno 1"`
	for host, heard := range map[string]string{
		"":               "nothing",
		"no-close-range": "nothing",
		"unprivileged":   failed,
	} {
		want := []string{"host workers 50", "host heard " + heard}
		got := play(t, child, append(strings.Fields(host), "crowd", "quiet")...)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}
