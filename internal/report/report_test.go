// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"aadlogin/internal/authlog"
	"aadlogin/internal/doctor"
)

var update = flag.Bool("update", false, "write testdata/*.html")

var made = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hostile is a text that a person may type as a name, or a server may send.
const hostile = "</td><script>alert(1)</script>\u202e\x1b[2J"

func sample() *Report {
	event := func(minutes int, verb string, pairs ...string) authlog.Event {
		values := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			values[pairs[i]] = pairs[i+1]
		}
		return authlog.Event{Time: made.Add(-time.Duration(minutes) * time.Minute),
			Verb: verb, Values: values}
	}
	forged := event(30, "signed-in", "account", "root")
	forged.Writer = &authlog.Writer{UID: 1000, Exe: "/usr/bin/logger"}
	return &Report{
		Made: made,
		Facts: []Fact{{"Name", "vm-1"}, {"System", "Debian GNU/Linux 12 (bookworm)"},
			{"aadctl", "0.1.0"}},
		Settings: "tenant_id = \"8a09f2d7-8415-4296-92b2-80bb4666c5fc\"\ndomains = " +
			"[\"contoso.com\"]\n",
		Checks: []doctor.Finding{
			{Check: "store", Status: doctor.OK,
				Found: "the store is sound and goes by this configuration"},
			{Check: "sshd", Status: doctor.Failed,
				Found:   "UsePAM is no, so sshd asks no PAM module",
				Fix:     "then reload sshd: systemctl reload ssh",
				Command: "sed -i '1i UsePAM yes' /etc/ssh/sshd_config"},
			{Check: "sudo", Status: doctor.Warning, Found: "alice@contoso.com " + hostile},
			{Check: "keys", Status: doctor.Skipped, Found: "not asked"},
		},
		SignIns: SignIns{
			Since: made.AddDate(0, 0, -7), Logs: []string{"the journal", "/var/log/auth.log.1"},
			Total: 1400, Malformed: 2,
			Problems: []string{"/var/log/auth.log.2.gz: unexpected EOF"},
			Events: []authlog.Event{
				event(1, "signed-in", "account", "alice@contoso.com", "service",
					"sshd", "rhost", "192.0.2.7",
					"decision", "administrator", "role", "Virtual Machine Administrator Login",
					"correlation_id", "3b4c5d6e-0000-4111-8222-333344445555"),
				event(9, "denied", "account", "bob@contoso.com", "service", "sshd", "rhost",
					"192.0.2.8", "reason", "no-role",
					"decision_reason", "no role assignment grants the action to bob"),
				event(20, "failed", "account", hostile, "service", hostile, "rhost", hostile,
					"reason", hostile, "error", hostile),
				forged,
			},
		},
		Accounts: Accounts{Total: 3, Shown: 2, All: slices.Values([]Account{
			{"alice@contoso.com", 2027764255, "admin", made.AddDate(0, -1, 0),
				&Authorization{made.Add(-time.Minute), true, "sshd", "192.0.2.7", "check-access"}},
			{hostile, 1879048300, "imported", made.AddDate(-1, 0, 0), nil},
		})},
	}
}

func written(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden compares the whole page, so that its changes are looked at. To write it: go test
// ./internal/report -update
func TestGolden(t *testing.T) {
	redacted := sample()
	redacted.Redacted = []byte("key")
	unreadable := &Report{Made: made, Facts: []Fact{{"Name", "vm-1"}}, Only: "alice@contoso.com",
		Accounts: Accounts{Problem: "there is no store yet"}, SignIns: SignIns{Since: made}}
	for name, r := range map[string]*Report{"report": sample(), "redacted": redacted,
		"unreadable": unreadable} {
		golden(t, "testdata/"+name+".html", written(t, r))
		golden(t, "testdata/"+name+".json", asJSON(t, r))
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != got {
		t.Errorf("%s is not what is written now: %v", file, err)
	}
}

// asJSON returns the report for programs with a line for each value.
func asJSON(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsFunc(strings.TrimSuffix(b.String(), "\n"),
		func(c rune) bool { return !unicode.IsPrint(c) }) {
		t.Errorf("drives a terminal: %q", b.String())
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(b.String()), "", "\t"); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	return indented.String()
}

// Both forms of a report have the same contents, and a redacted one leaves out the same.
func TestRedactedJSON(t *testing.T) {
	r := sample()
	r.Redacted = []byte("one key")
	r.Checks[0] = doctor.Finding{Check: "store", Status: doctor.Failed,
		Found: `record "nalice" is damaged`}
	r.Accounts.Problem = "nalice"
	text, page := asJSON(t, r), written(t, r)
	for _, never := range []string{"alice", "bob", "192.0.2", "2027764255", "1879048300",
		"/usr/bin/logger", `"fix": "left`} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in %s", never, text)
		}
	}
	for _, name := range regexp.MustCompile(`(account|host)-[0-9a-f]{10}`).FindAllString(text, -1) {
		if !strings.Contains(page, name) {
			t.Errorf("%s is in one of the two alone", name)
		}
	}
}

// Everything that comes from outside is only text. Nothing is loaded and nothing is run.
func TestInert(t *testing.T) {
	page := written(t, sample())
	for _, never := range []string{"<script", "\u202e", "\x1b", "http://", "https://", "src=",
		"@import", "url(", "<link", "<iframe", "onload"} {
		if strings.Contains(page, never) {
			t.Errorf("%q is in the page", never)
		}
	}
	for _, target := range regexp.MustCompile(`(?:href|action)="?([^" >]*)`).
		FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(target[1], "#") || !strings.Contains(page, `id="`+target[1][1:]+`"`) {
			t.Errorf("a link leads to %s", target[1])
		}
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 6 {
		t.Errorf("what was typed is shown %d times", n)
	}
}

// A redacted report has no names. A person has the same pseudonym throughout, and another one in
// another report.
func TestRedacted(t *testing.T) {
	r := sample()
	r.Redacted = []byte("one key")
	r.Checks[0] = doctor.Finding{Check: "store", Status: doctor.Failed, Found: `record "nalice" is damaged`}
	page := written(t, r)
	for _, never := range []string{"alice", "bob", "192.0.2", "2027764255", "1879048300",
		"nalice"} {
		if strings.Contains(page, never) {
			t.Errorf("%q is in the page", never)
		}
	}
	names := regexp.MustCompile(`account-[0-9a-f]{10}`).FindAllString(page, -1)
	if len(names) < 4 || names[0] != names[len(names)-2] && !slices.Contains(names[1:], names[0]) {
		t.Errorf("pseudonyms: %v", names)
	}
	other := sample()
	other.Redacted = []byte("another key")
	if strings.Contains(written(t, other), names[0]) {
		t.Error("a pseudonym is the same in two reports")
	}
}

func TestVerdict(t *testing.T) {
	failed, warned := doctor.Finding{Status: doctor.Failed}, doctor.Finding{Status: doctor.Warning}
	for want, checks := range map[string][]doctor.Finding{
		"Every check passed.":                 {{Status: doctor.OK}, {Status: doctor.Skipped}},
		"No check failed; 1 needs attention.": {warned},
		"1 check failed.":                     {failed},
		"2 checks failed; 2 need attention.":  {failed, warned, failed, warned},
	} {
		if got := (view{&Report{Checks: checks}}).Summary().Word; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Long lists are written as they are read.
func TestConstantMemory(t *testing.T) {
	const many = 100_000
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	all := func(yield func(Account) bool) {
		for i := range many {
			if i%10_000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc)
			}
			if !yield(Account{Name: fmt.Sprintf("person%d@contoso.com", i), UID: uint32(i),
				State: "user", Created: made}) {
				return
			}
		}
	}
	var n counter
	r := &Report{Made: made, Accounts: Accounts{All: all, Total: many, Shown: many}}
	if err := r.Write(&n); err != nil {
		t.Fatal(err)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); n < 10<<20 || grown > 2<<20 {
		t.Errorf("%d bytes were written, and memory grew by %d", n, grown)
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) { *c += counter(len(p)); return len(p), nil }
