// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
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
		{"a pair", []string{"account", "user@contoso.example"},
			`verb account="user@contoso.example"`},
		{"empty values are left out", []string{"rhost", "", "service", "sudo"},
			`verb service="sudo"`},
		{"a key without a value", []string{"service", "sudo", "lonely"}, `verb service="sudo"`},
		{"quotes", []string{"account", `a" uid="0`}, `verb account="a\" uid=\"0"`},
		{"a backslash before the quote", []string{"account", `a\`, "uid", "1"},
			`verb account="a\\" uid="1"`},
		{"a line of its own", []string{"rhost", "host\nsigned-in account=\"root\""},
			`verb rhost="host\x0asigned-in account=\"root\""`},
		{"ANSI", []string{"rhost", "\x1b[1A\x1b[2Kaccepted"},
			`verb rhost="\x1b[1A\x1b[2Kaccepted"`},
		{"reordering", []string{"rhost", "\u202etoor"}, `verb rhost="\xe2\x80\xaetoor"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := LogLine("verb", test.pairs...); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestLogLineIsBounded(t *testing.T) {
	long := strings.Repeat("\x1b", 1<<20)
	line := LogLine("verb", "account", "user@contoso.example", "error", long, "b", long, "c", long,
		"d", long, "e", long, "f", long,
		"g", long, "h", long, "i", long, "last", "fits")
	_, pairs, ok := parseLine(line)
	if len(line) > maxLogLine || !ok || pairs[1] != "user@contoso.example" ||
		pairs[len(pairs)-1] != "fits" {
		t.Errorf("%d bytes, %d pairs, %v: …%s", len(line), len(pairs)/2, ok, line[len(line)-40:])
	}
}

// The door's rule in C is tested with the same vectors (pam/line_test.go).
func TestQuote(t *testing.T) {
	text, err := os.ReadFile("../../testdata/log/values.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if line == "\n" || strings.HasPrefix(line, "#") {
			continue
		}
		in, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " expect: ")
		value, err := strconv.Unquote(in)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if got := quote(value); got != want {
			t.Errorf("quote(%s)\ngot  %s\nwant %s", in, got, want)
		}
		n++
	}
	if n == 0 {
		t.Error("no vectors")
	}
}

// parseLine reads a line back as a log collector would: a verb, then key="value" pairs with Go's
// quoting.
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

// A value that is read back equals the value that was written, or is its beginning. No value ends
// its quotes, adds a pair or a line, or looks like another value.
func FuzzLogLine(f *testing.F) {
	f.Add("user", "host")
	f.Add(`a" uid="0`, `\`)
	f.Add("a\nsigned-in account=\"root\"", "\x1b[2K")
	f.Add("\u202e\u2028", `\" x="`)
	f.Add("\xff\x00", strings.Repeat("\\", 1001))
	f.Fuzz(func(t *testing.T, account, rhost string) {
		line := LogLine("verb", "account", account, "rhost", rhost, "last", "fits")
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) ||
			len(line) > maxLogLine {
			t.Fatalf("%q", line)
		}
		verb, pairs, ok := parseLine(line)
		if !ok || verb != "verb" {
			t.Fatalf("%q read back: %q %q", line, verb, pairs)
		}
		for _, pair := range [][2]string{{"account", account}, {"rhost", rhost}, {"last", "fits"}} {
			if pair[1] == "" {
				continue
			}
			if len(pairs) < 2 || pairs[0] != pair[0] || !sameOrCut(pairs[1], pair[1]) {
				t.Fatalf("%q read back: %q, not %q", line, pairs, pair)
			}
			pairs = pairs[2:]
		}
		if len(pairs) != 0 {
			t.Errorf("%q: more pairs: %q", line, pairs)
		}
	})
}

func sameOrCut(got, value string) bool {
	begin, cut := strings.CutSuffix(got, "...")
	return got == value || cut && len(begin)*4 > maxLogValue-4 && strings.HasPrefix(value, begin)
}
