// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestLogLine(t *testing.T) {
	for _, test := range []struct {
		name  string
		pairs []string
		want  string
	}{
		{"nothing to say", nil, `verb`},
		{"a pair", []string{"account", "user@contoso.example"}, `verb account="user@contoso.example"`},
		{"empty values are left out", []string{"rhost", "", "service", "sudo", "tty", "\x1b"}, `verb service="sudo"`},
		{"a key without a value", []string{"service", "sudo", "lonely"}, `verb service="sudo"`},
		{"quotes", []string{"account", `a" uid="0`}, `verb account="a\" uid=\"0"`},
		{"a backslash before the quote", []string{"account", `a\`, "uid", "1"}, `verb account="a\\" uid="1"`},
		{"a line of its own", []string{"rhost", "host\nsigned-in account=\"root\""}, `verb rhost="host signed-in account=\"root\""`},
		{"ANSI", []string{"rhost", "\x1b[1A\x1b[2Kaccepted"}, `verb rhost="[1A[2Kaccepted"`},
		{"reordering", []string{"rhost", "\u202etoor"}, `verb rhost="toor"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := logLine("verb", test.pairs...); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestLogLineIsBounded(t *testing.T) {
	got := logLine("verb", "error", strings.Repeat("x", 1<<20))
	if len(got) > maxLogValue+50 {
		t.Errorf("%d bytes", len(got))
	}
}

// parseLine reads a line back as a log collector would: verb, then key="value" with Go's quoting.
func parseLine(line string) (verb string, pairs []string, ok bool) {
	verb, rest, _ := strings.Cut(line, " ")
	for rest != "" {
		key, quoted, found := strings.Cut(rest, "=")
		if !found {
			return verb, pairs, false
		}
		prefix, err := strconv.QuotedPrefix(quoted)
		if err != nil {
			return verb, pairs, false
		}
		value, err := strconv.Unquote(prefix)
		if err != nil {
			return verb, pairs, false
		}
		pairs = append(pairs, key, value)
		rest = quoted[len(prefix):]
		if rest != "" && rest[0] != ' ' {
			return verb, pairs, false
		}
		rest = strings.TrimPrefix(rest, " ")
	}
	return verb, pairs, true
}

// Whatever the values are, what is read back is what was written: no value ends its quotes, adds a pair or a line.
func FuzzLogLine(f *testing.F) {
	f.Add("user", "host")
	f.Add(`a" uid="0`, `\`)
	f.Add("a\nsigned-in account=\"root\"", "\x1b[2K")
	f.Add("\u202e\u2028", `\" x="`)
	f.Fuzz(func(t *testing.T, account, rhost string) {
		line := logLine("verb", "account", account, "rhost", rhost)
		if problem := safe(line); problem != "" {
			t.Fatalf("%q: %s", line, problem)
		}
		var want []string
		for _, pair := range [][2]string{{"account", account}, {"rhost", rhost}} {
			if value := clean(pair[1], maxLogValue); value != "" {
				want = append(want, pair[0], value)
			}
		}
		verb, pairs, ok := parseLine(line)
		if !ok || verb != "verb" || !slices.Equal(pairs, want) {
			t.Errorf("%q read back: %q %q", line, verb, pairs)
		}
	})
}
