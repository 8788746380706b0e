// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authlog

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const (
	mine = `pam_aad(sshd:auth): `
	good = mine + `signed-in account="a@contoso.com" uid="2027764255"`
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

func TestParse(t *testing.T) {
	for message, want := range map[string]string{
		good:                        "signed-in map[account:a@contoso.com uid:2027764255]",
		mine + "failed":             "failed map[]",
		mine + `denied reason=""`:   "denied map[reason:]",
		mine + `denied a="x" b="y"`: "denied map[a:x b:y]",

		"":                                    ErrForeign.Error(),
		"Invalid user " + good:                ErrForeign.Error(),
		" " + good:                            ErrForeign.Error(),
		"pam_unix(sshd:auth): failed":         ErrForeign.Error(),
		mine + `step step="token"`:            ErrForeign.Error(),
		"pam_aad(sshd:auth)":                  errMalformed.Error(),
		mine + "failed ":                      errMalformed.Error(),
		mine + "failed because":               errMalformed.Error(),
		mine + `failed reason="x`:             errMalformed.Error(),
		mine + `failed reason="x" `:           errMalformed.Error(),
		mine + `failed  reason="x"`:           errMalformed.Error(),
		mine + `failed reason="x"why="y"`:     errMalformed.Error(),
		mine + `failed reason="x" reason="x"`: errMalformed.Error(), // which of them would count?
		mine + `failed Reason="x"`:            errMalformed.Error(),
		mine + `failed reason="\x41"`:         errMalformed.Error(),
		mine + `failed reason="\x0A"`:         errMalformed.Error(),
		mine + `failed reason="\n"`:           errMalformed.Error(),
		mine + `failed reason="\x0`:           errMalformed.Error(),
		mine + `failed reason="\`:             errMalformed.Error(),
		mine + "failed reason=\"\x1b[2J\"":    errMalformed.Error(),
		mine + `failed reason="ü"`:            errMalformed.Error(),
	} {
		e, err := Parse(message)
		got := fmt.Sprint(e.Verb, " ", e.Values)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
	}
}

// A line that package signin or the door writes is read back exactly.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../../testdata/log/values.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		spelt, written, ok := strings.Cut(strings.TrimSpace(line), " expect: ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		value, err := strconv.Unquote(spelt)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		e, err := Parse(mine + "denied account=" + written)
		got := e.Values["account"]
		if cut, ok := strings.CutSuffix(got, "..."); ok && len(value) > 200 {
			got, value = cut, value[:len(cut)]
		}
		if n++; err != nil || got != value {
			t.Errorf("%.80s: %.80q, %v", written, got, err)
		}
	}
	if n < 10 {
		t.Errorf("%d vectors", n)
	}
}

func TestTimes(t *testing.T) {
	for line, want := range map[string]string{
		"2026-02-28T23:59:59.999999+01:00 vm sshd[7]: " + good: "2026-02-28T22:59:59Z",
		"2026-02-28T23:59:59Z vm sshd[7]: " + good:             "2026-02-28T23:59:59Z",
		"Feb 28 23:59:59 vm sshd[7]: " + good:                  "2026-02-28T22:59:59Z",
		"Mar  2 11:59:59 vm sudo: " + good:                     "2026-03-02T10:59:59Z",
		"Mar  2 12:00:01 vm sudo: " + good:                     "2025-03-02T11:00:01Z",
		"Dec 31 00:00:00 vm sudo: " + good:                     "2025-12-30T23:00:00Z",
		"Feb 29 00:00:00 vm sudo: " + good:                     "2024-02-28T23:00:00Z",

		"yesterday at noon vm sshd[7]: " + good:                      "",
		"2026-02-28T23:59:61Z vm sshd[7]: " + good:                   "",
		"Feb 30 23:59:59 vm sshd[7]: " + good:                        "",
		"Feb 28 23:59:59 vm sshd[7]: Invalid user " + good + " from": "", // a stranger typed it
		"Feb 28 23:59:59 vm a b: " + good:                            "",
	} {
		got := ""
		if e, err := parseLine(line, now); err == nil {
			got = e.Time.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// These are lines of journalctl, and lines that another local user could forge.
func TestJournal(t *testing.T) {
	text := `{"__REALTIME_TIMESTAMP":"1772366400000001","MESSAGE":` + strconv.Quote(good) +
		`,"_UID":"0","_EXE":"/usr/sbin/sshd"}
{"__REALTIME_TIMESTAMP":"1772366400000002","MESSAGE":` + strconv.Quote(good) +
		`,"_UID":"1000","_EXE":"/usr/bin/logger"}
{"__REALTIME_TIMESTAMP":"1772366400000003","MESSAGE":"pam_unix(sshd:session): session opened"}
{"__REALTIME_TIMESTAMP":"1772366400000004","MESSAGE":[112,97,109,255],"X":"pam_aad("}
{"__REALTIME_TIMESTAMP":"then","MESSAGE":` + strconv.Quote(good) + `}
{"MESSAGE":"pam_aad(
` + strings.Repeat("pam_aad(", 20000) + `
{"__REALTIME_TIMESTAMP":"1772366400000005","MESSAGE":` + strconv.Quote(mine+"failed") + `}`
	var all []Event
	malformed, err := Journal(strings.NewReader(text), func(e Event) { all = append(all, e) })
	if err != nil || malformed != 2 || len(all) != 3 {
		t.Fatalf("%d events, %d malformed, %v", len(all), malformed, err)
	}
	w := all[1].Writer
	if w == nil || *w != (Writer{1000, "/usr/bin/logger"}) || all[2].Writer != nil {
		t.Errorf("%+v", all)
	}
	if at := all[0].Time; at.UnixMicro() != 1772366400000001 {
		t.Error(at)
	}
}

func TestRecent(t *testing.T) {
	r := Recent{Max: 3, Since: now, Want: func(e Event) bool { return e.Verb == "failed" }}
	for _, minute := range []int{5, 1, 9, -1, 3, 7, 2, 8} {
		r.Add(Event{Time: now.Add(time.Duration(minute) * time.Minute), Verb: "failed"})
	}
	r.Add(Event{Time: now.Add(time.Hour), Verb: "denied"})
	var minutes []float64
	for _, e := range r.Events() {
		minutes = append(minutes, e.Time.Sub(now).Minutes())
	}
	if !slices.Equal(minutes, []float64{9, 8, 7}) || r.Total != 7 {
		t.Errorf("%v of %d", minutes, r.Total)
	}
}

func packed(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.Bytes()
}

func TestFiles(t *testing.T) {
	line := func(verb string) string { return "Feb 28 10:00:00 vm sshd[7]: " + mine + verb + "\n" }
	file := func(data []byte, days int) *fstest.MapFile {
		return &fstest.MapFile{Data: data, ModTime: now.AddDate(0, 0, -days)}
	}
	root := fstest.MapFS{
		"var/log/auth.log":        file([]byte(line("signed-in")+line("failed ")), 0),
		"var/log/auth.log.1":      file([]byte(line("denied")), 2),
		"var/log/auth.log.2.gz":   file(packed(line("failed")), 3),
		"var/log/auth.log.3.gz":   file([]byte("\x1f\x8bno"), 4),
		"var/log/auth.log.4.xz":   file([]byte("\xfd7zXZ"), 4),
		"var/log/auth.log.9.gz":   file(packed(line("authorized")), 30), // too old
		"var/log/secure-20260228": file([]byte(line("authorized")), 1),
		"var/log/secure":          {Mode: os.ModeNamedPipe, ModTime: now}, // which would never end
		"var/log/syslog":          file([]byte(line("failed")), 0),
	}
	var verbs []string
	read, malformed, err := Files(t.Context(), root, now.AddDate(0, 0, -7), now,
		func(e Event) { verbs = append(verbs, e.Verb) })
	want := []string{
		"/var/log/auth.log", "/var/log/secure-20260228", "/var/log/auth.log.1",
		"/var/log/auth.log.2.gz",
	}
	if !slices.Equal(read, want) {
		t.Errorf("read %v", read)
	}
	want = []string{"signed-in", "authorized", "denied", "failed"}
	if !slices.Equal(verbs, want) || malformed != 1 {
		t.Errorf("%v, %d malformed", verbs, malformed)
	}
	if said := fmt.Sprint(err); !strings.Contains(said, "/var/log/auth.log.3.gz: unexpected EOF") ||
		!strings.Contains(said, "/var/log/auth.log.4.xz: is packed by another program than gzip") {
		t.Error(said)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if read, _, err := Files(ctx, root, time.Time{}, now, nil); err == nil || len(read) > 0 {
		t.Errorf("%v, %v after the time was up", read, err)
	}
}

// A line that is taken yields an event that says the same and no more. No line keeps the following
// ones from being read.
func FuzzLines(f *testing.F) {
	f.Add(good)
	f.Add(mine + `denied reason="\x1b[2J\"\\" why="no role"`)
	f.Add("sshd[1]: Invalid user " + good)
	f.Fuzz(func(t *testing.T, message string) {
		if e, err := Parse(message); err == nil {
			line := written(message, e)
			again, err := Parse(line)
			if err != nil || !reflect.DeepEqual(again, e) || len(line) != len(message) {
				t.Errorf("%q is read as %+v, and that as %+v, %v", message, e, again, err)
			}
		}
		rest := "\n2026-02-28T23:59:59Z vm sshd[7]: " + good
		n := 0
		_, err := Text(strings.NewReader(message+rest), now, func(Event) { n++ })
		if err != nil || n == 0 {
			t.Errorf("%d events, %v", n, err)
		}
		rest = "\n" + `{"__REALTIME_TIMESTAMP":"1","MESSAGE":` + strconv.Quote(good) + `}`
		n = 0
		_, err = Journal(strings.NewReader(message+rest), func(Event) { n++ })
		if err != nil || n == 0 {
			t.Errorf("%d events, %v", n, err)
		}
	})
}

// written spells an event as package signin would, with its writer.
func written(message string, e Event) string {
	from, _, _ := strings.Cut(message, "): ")
	line := from + "): " + e.Verb
	for _, key := range slices.Sorted(maps.Keys(e.Values)) {
		line += " " + key + `="`
		for _, c := range []byte(e.Values[key]) {
			switch {
			case c == '"' || c == '\\':
				line += `\` + string(rune(c))
			case c < ' ' || c > '~':
				line += fmt.Sprintf(`\x%02x`, c)
			default:
				line += string(rune(c))
			}
		}
		line += `"`
	}
	return line
}
