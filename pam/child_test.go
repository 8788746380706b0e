// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// atBirth is all that a worker has, whoever its host is.
var atBirth = []string{
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

// after is what a host has when a worker has ended.
var after = []string{"host worker gone", "host children none", "host descriptors +0"}

func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a worker becomes root: run as root")
	}
}

// Nothing of the host reaches the worker, and the host gets back what it had.
func TestWorkerAtBirth(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	for _, host := range []string{
		"", "close0", "close1", "close2", "close01", "close02", "close12", "close012",
		"many", "many no-close-range", "close012 no-close-range", "close012 many no-close-range", "no-close-range",
		"close012 few-descriptors", "thousands", "thousands no-close-range", "close012 thousands",
		"chld-ignored", "chld-reaped", "chld-nowait", "handlers", "ignores", "blocked", "handlers blocked",
		"limits", "environment", "sudo", "umask", "no-clone", "no-clone blocked chld-ignored close012",
		"sudo limits environment umask blocked ignores close012 many",
		"slow", "real-time", "signal-stack", "locale", "slow signal-stack locale sudo close012 few-descriptors",
	} {
		t.Run(host, func(t *testing.T) {
			for _, ending := range []string{"exit", "return", "crash"} {
				compare(t, ending, born(t, host, play(t, child, append(strings.Fields(host), ending)...)), "host mask same")
			}
			got := born(t, host, play(t, child, append(strings.Fields(host), "wait")...))
			compare(t, "wait", got, "host mask same", "worker waits")
		})
	}
}

// born is what a worker has got, as if every host had the descriptors for a second pipe.
func born(t *testing.T, host string, got []string) []string {
	t.Helper()
	if i := slices.Index(got, "worker fd2 /dev/null"); i >= 0 && strings.Contains(host, "few-descriptors") {
		got[i] = "worker fd2 pipe"
	}
	return got
}

// A worker that dies may say why. However much that is, neither it nor its host waits for the other.
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
	want := slices.Concat(atBirth, after, more)
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

// A worker ends with its conversation, whatever it does about signals and whatever the host does about children.
func TestWorkerIsKilled(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	for _, host := range []string{"", "chld-ignored", "chld-reaped", "chld-nowait", "blocked", "ignores", "close012", "no-clone", "no-clone chld-ignored"} {
		t.Run(host, func(t *testing.T) {
			compare(t, "deaf", play(t, child, append(strings.Fields(host), "deaf")...), "host mask same", "worker waits")
		})
	}
	for _, host := range []string{"", "blocked", "close012", "no-clone"} {
		t.Run("stopped "+host, func(t *testing.T) {
			compare(t, "stop", play(t, child, append(strings.Fields(host), "stop")...), "host mask same", "host saw-it stopped")
		})
	}
}

// A host that is killed takes its worker along.
func TestWorkerDiesWithItsHost(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	for _, ending := range []string{"wait", "deaf"} {
		for host, of := range map[string][]string{"sudo": {"guard", "worker"}, "sudo no-clone": {"worker"}} {
			got := play(t, child, append(append([]string{"orphan"}, strings.Fields(host)...), ending)...)
			for _, process := range of {
				if line := "host " + process + " killed-by 9"; !slices.Contains(got, "worker waits") || !slices.Contains(got, line) {
					t.Errorf("%s, %s: no %q in %q", host, ending, line, got)
				}
			}
		}
	}
}

// No worker: the host is told why, and has all that it had before.
func TestWorkerCannotStart(t *testing.T) {
	child := harness(t, "child")
	for host, want := range map[string][]string{
		"no-fork":          {"host failed Resource temporarily unavailable", "host mask same", "host descriptors +0"},
		"no-fork no-clone": {"host failed Resource temporarily unavailable", "host mask same", "host descriptors +0"},
		"no-fork blocked":  {"host failed Resource temporarily unavailable", "host mask same", "host descriptors +0"},
		"no-descriptor":    {"host failed Too many open files", "host mask same", "host descriptors +0"},
	} {
		if got := play(t, child, append(strings.Fields(host), "exit")...); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

// Without root's rights there is no worker either: it ends before it has done anything.
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

// fork catches the other threads of a host with whatever locks they hold, and the worker has to get by without those.
func TestWorkerOfManyThreads(t *testing.T) {
	asRoot(t)
	child := harness(t, "child")
	const unborn = `failed reason="worker-failed" account="user@contoso.example" service="sudo" step="become root" error="errno 1"`
	for host, heard := range map[string]string{
		"":               "nothing",
		"no-close-range": "nothing",
		"unprivileged":   unborn,
	} {
		want := []string{"host workers 50", "host heard " + heard}
		if got := play(t, child, append(strings.Fields(host), "crowd", "quiet")...); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}
