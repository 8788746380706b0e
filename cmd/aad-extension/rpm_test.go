// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"testing"
)

// A failure of rpm is no answer "not installed": a database that it cannot read, a lock, a signal.
func TestRPMThatCannotSay(t *testing.T) {
	const (
		no     = "package aad-login is not installed\n"
		broken = "error: cannot open Packages database in /var/lib/rpm\n"
	)
	for _, c := range []struct {
		said   string
		status int
		want   string
	}{
		{"1.2.3-1\n", 0, "1.2.3-1 true"},
		{no, 1, " false"},
		{broken, 1, "failed"},
		{broken + no, 1, "failed"},
		{"", 1, "failed"},
		{"package another is not installed\n", 1, "failed"},
		{no, 127, "failed"},
		{"", 137, "failed"},
	} {
		r := rpms{host{run: says(t, c.said, c.status)}}
		version, ok, err := r.state(t.Context())
		got := fmt.Sprint(version, " ", ok)
		if err != nil {
			got = "failed"
		}
		if got != c.want {
			t.Errorf("rpm says %q with %d: %s, want %s (%v)", c.said, c.status, got, c.want, err)
		}
	}
}

func says(t *testing.T, said string, status int) runFunc {
	return func(context.Context, []string, string, ...string) (string, error) {
		if status == 0 {
			return said, nil
		}
		return said, exitStatus(t, status)
	}
}

// Conflicting packages are reported by name.
func TestRPMNamesThoseThere(t *testing.T) {
	for _, c := range []struct {
		said   string
		status int
		want   string
	}{
		{"package a is not installed\npackage b is not installed\n", 2, "[] <nil>"},
		{"a\npackage b is not installed\n", 1, "[a] <nil>"},
		{"a\nb\n", 0, "[a b] <nil>"},
		{"error: rpmdb: damaged\n", 1, ""},
		{"error: rpmdb: damaged\npackage a is not installed\npackage b is not installed\n", 2, ""},
		{"package b is not installed\n", 1, ""},
		{"a\nb\n", 1, ""},
	} {
		there, err := rpms{host{run: says(t, c.said, c.status)}}.present(t.Context(),
			[]string{"a", "b"})
		if got := fmt.Sprint(there, " ", err); got != c.want && (err == nil || c.want != "") {
			t.Errorf("rpm says %q with %d: %s, want %s", c.said, c.status, got, c.want)
		}
	}
}
