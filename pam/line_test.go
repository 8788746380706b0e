// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// liner is a running harness: testdata/line.c.
type liner struct {
	in  io.WriteCloser
	out *bufio.Reader
}

func newLiner(t testing.TB) *liner {
	t.Helper()
	cmd := exec.Command(harness(t, "line"))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("line: %v\n%s", err, &stderr)
		}
	})
	return &liner{in, bufio.NewReader(out)}
}

// failed returns the line of a worker that died.
func (l *liner) failed(t testing.TB, user, rhost string) string {
	t.Helper()
	var b []byte
	for _, s := range []string{user, rhost} {
		b = append(binary.NativeEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	if _, err := l.in.Write(b); err != nil {
		t.Fatalf("line: %v", err)
	}
	line, err := l.out.ReadString('\n')
	if err != nil {
		t.Fatalf("line: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// The vectors of internal/signin: both languages quote by one rule.
func TestLineValues(t *testing.T) {
	text, err := os.ReadFile("../testdata/log/values.txt")
	if err != nil {
		t.Fatal(err)
	}
	l, n := newLiner(t), 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		in, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " expect: ")
		value, err := strconv.Unquote(in)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got := l.failed(t, value, "")
		begin := `failed reason="worker-died" account=` + want + ` service="su" attempt="`
		if !strings.HasPrefix(got, begin) {
			t.Errorf("account %s:\ngot  %s\nwant %s", in, got, want)
		}
		n++
	}
	if n == 0 {
		t.Error("no vectors")
	}
}

// Each attempt has an id of its own.
func TestAttemptID(t *testing.T) {
	form := regexp.MustCompile(`attempt="([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"`)
	l, seen := newLiner(t), map[string]bool{}
	for range 100 {
		line := l.failed(t, "a", "")
		id := form.FindStringSubmatch(line)
		if id == nil || seen[id[1]] {
			t.Fatalf("no new id in %s", line)
		}
		seen[id[1]] = true
	}
}

// For any name and remote host, a reader gets what was written, or its beginning, and the line has
// a bound.
func FuzzLine(f *testing.F) {
	f.Add("user", "host")
	f.Add(`a" uid="0`, `\`)
	f.Add("a\nsigned-in account=\"root\"", "\x1b[2K\xff")
	f.Add(strings.Repeat("\xff", 3000), strings.Repeat(`"`, 999))
	l := newLiner(f)
	f.Fuzz(func(t *testing.T, user, rhost string) {
		user, _, _ = strings.Cut(user, "\x00")
		rhost, _, _ = strings.Cut(rhost, "\x00")
		line := l.failed(t, user, rhost)
		unprintable := func(r rune) bool { return r < ' ' || r > '~' }
		if len(line) > 8000 || strings.ContainsFunc(line, unprintable) {
			t.Fatalf("%d bytes: %q", len(line), line)
		}
		want := map[string]string{
			"reason":  "worker-died",
			"account": user,
			"service": "su",
			"rhost":   rhost,
			"last":    "fits",
		}
		rest := strings.TrimPrefix(line, "failed")
		for rest != "" {
			key, value, _ := strings.Cut(rest, "=")
			quoted, err := strconv.QuotedPrefix(value)
			if err != nil || key[0] != ' ' {
				t.Fatalf("%q: at %q", line, rest)
			}
			got, _ := strconv.Unquote(quoted)
			begin, cut := strings.CutSuffix(got, "...")
			w, known := want[key[1:]]
			if known && got != w && !(cut && len(begin) > 240 && strings.HasPrefix(w, begin)) {
				t.Fatalf("%q: %s is %q", line, key, got)
			}
			if strings.Count(line, key+`="`) != 1 && !strings.Contains(user+rhost, key[1:]+"=") {
				t.Fatalf("%q: %s twice", line, key)
			}
			delete(want, key[1:])
			rest = value[len(quoted):]
		}
		for key, value := range want {
			if room := key != "last" || len(line)+len(` last="fits"`) <= 8000; value != "" && room {
				t.Errorf("%q: no %s", line, key)
			}
		}
	})
}
