// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sshd

import (
	"strings"
	"testing"
	"time"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"?", "", false}, {"**", "a", true},
		{"a*", "abc", true}, {"*c", "abc", true}, {"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxbyy", false},
		{"*ab", "aab", true}, {"a?c", "abc", true}, {"a?c", "ac", false}, {"abc", "abcd", false},
		{"alice?contoso.com", "alice@contoso.com", true},
		{"alice@contoso.com", "alice@contoso.com", true},
		{"[a-z]*", "alice", false}, {`a\*`, "a*", false},
		{"a.c", "abc", false}, {"A*", "alice", false},
		{"*?contoso.com", "o'brien@contoso.com", true},
	} {
		if got := Match(test.pattern, test.s); got != test.want {
			t.Errorf("Match(%q, %q) = %v", test.pattern, test.s, got)
		}
	}
}

// Wildcards must not take exponential time.
func TestMatchIsQuick(t *testing.T) {
	done := make(chan bool, 1)
	go func() { done <- Match(strings.Repeat("*a", 200)+"b", strings.Repeat("a", 5000)) }()
	select {
	case matched := <-done:
		if matched {
			t.Error("matches")
		}
	case <-time.After(time.Minute):
		t.Fatal("still matching")
	}
}

// The table was recorded with OpenSSH 9.2 (first @), 10.0 and 10.6 (last @) and AllowUsers.
func TestUser(t *testing.T) {
	const name = "alice@contoso.com"
	first, last := Version{9, 8}, Version{9, 9}
	for _, test := range []struct {
		pattern   string
		old, late From
	}{
		{"alice@contoso.com", Nowhere, Nowhere},
		{"*@contoso.com", "contoso.com", "contoso.com"},
		{"alice?contoso.com", Everywhere, Everywhere},
		{"*?contoso.com", Everywhere, Everywhere},
		{"alice*", Everywhere, Everywhere},
		{"*", Everywhere, Everywhere},
		{"alice", Nowhere, Nowhere},
		{"bob", Nowhere, Nowhere},
		{"alice@contoso.com@*", Nowhere, Everywhere},
		{"alice@contoso.com@10.0.0.0/8", Nowhere, "10.0.0.0/8"},
		{"*@contoso.com@*", "contoso.com@*", Everywhere},
		{"alice?contoso.com@*", Everywhere, Everywhere},
		{"alice?contoso.com@192.0.2.0/24,!192.0.2.7", "192.0.2.0/24,!192.0.2.7",
			"192.0.2.0/24,!192.0.2.7"},
		{"alice?contoso.com@!192.0.2.7", Nowhere, Nowhere},
		{"*@*", Everywhere, Everywhere},
		{"?*@*,!192.0.2.7", "*,!192.0.2.7", "*,!192.0.2.7"},
		{"!alice?contoso.com", Nowhere, Nowhere}, // exceptions do not count outside of a list
	} {
		if got := first.User(test.pattern, name); got != test.old {
			t.Errorf("9.8: %q: %q, want %q", test.pattern, got, test.old)
		}
		if got := last.User(test.pattern, name); got != test.late {
			t.Errorf("9.9: %q: %q, want %q", test.pattern, got, test.late)
		}
	}
}

func TestVersionIn(t *testing.T) {
	for said, want := range map[string]Version{
		"OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026":                                {9, 2},
		"unknown option -- V\nOpenSSH_8.4p1 Debian-5+deb11u5, OpenSSL 1.1.1w\nusage: sshd [-46Ddeiq": {8, 4},
		"OpenSSH_10.6p1": {10, 6}, "": {}, "OpenSSH_99999999999999999999.1": {},
		"exec: not found": {},
	} {
		if got := VersionIn(said); got != want {
			t.Errorf("%q: %v", said, got)
		}
	}
}
