// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/authlog"
)

var update = flag.Bool("update", false, "write testdata/metrics.prom")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func event(verb string, pairs ...string) authlog.Event {
	values := map[string]string{"account": "alice@contoso.com", "rhost": "192.0.2.7",
		"oid": "a11ce000-1111-2222-3333-444444444444"}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return authlog.Event{Time: noon.Add(-time.Hour), Verb: verb, Values: values}
}

func sample() *Metrics {
	m := &Metrics{Version: "1.2.3", Accounts: map[string]int{"user": 7, "admin": 0}, Until: noon}
	m.Add(event("signed-in", "entra_duration", "0.310s", "azure_duration", "1.000s",
		"duration", "21.500s"), true)
	m.Add(event("authorized", "azure_duration", "0.090s"), true)
	m.Add(event("denied", "reason", "no-role", "azure_duration", "59.001s"), true)
	m.Add(event("denied", "reason", "no-role"), true)
	m.Add(event("failed", "reason", "alice@contoso.com"), true)
	m.Add(event("signed-in"), false)
	return m
}

func written(t *testing.T, m *Metrics) string {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden compares the whole file, which promtool accepts, too (make watching). To write it: go
// test ./internal/metrics -update
func TestGolden(t *testing.T) {
	const file = "testdata/metrics.prom"
	got := written(t, sample())
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != got {
		t.Errorf("%s is not what is written now: %v\n%s", file, err, got)
	}
	if none := written(t, new(Metrics)); strings.Contains(none, "timestamp") ||
		strings.Contains(none, accounts) {
		t.Errorf("who knows nothing writes\n%s", none)
	}
}

// Counting goes on from the file. A line that was read twice is not counted twice.
func TestCountingGoesOn(t *testing.T) {
	m, err := Read(strings.NewReader(written(t, sample())))
	if err != nil || !m.Until.Equal(noon) {
		t.Fatal(m, err)
	}
	m.Version, m.Accounts = "1.2.3", map[string]int{"user": 7, "admin": 0}
	if got, want := written(t, m), written(t, sample()); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	m.Add(event("denied", "reason", "no-role", "azure_duration", "0.100s"), true)
	got := written(t, m)
	for _, line := range []string{attempts("denied") + " 3", refusals("denied", "no-role") + " 3",
		bucket("azure", "0.1") + " 2",
		bucket("azure", infinite) + " 4", tripSum("azure") + " 60.191",
		lastSuccess + " 1772362800"} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no %s in\n%s", line, got)
		}
	}
}

// No person can be identified, and the log cannot create series: a label is a word of this package
// or a number.
func TestFewSeries(t *testing.T) {
	m := &Metrics{}
	for _, odd := range []string{"alice@contoso.com", "\"} 1\naadlogin_x 1", "", "no-role"} {
		for _, verb := range append(outcomes, odd) {
			m.Add(event(verb, "reason", odd, "service", odd, "azure_duration", odd), true)
		}
	}
	text := written(t, m)
	if regexp.MustCompile(`alice|192\.0\.2|a11ce|aadlogin_x`).MatchString(text) ||
		len(counters()) > 160 || strings.Count(text, "\n") > 60 {
		t.Errorf("%d possible series, and\n%s", len(counters()), text)
	}
	if !strings.Contains(text, refusals("denied", other)+" 3\n") {
		t.Error(text)
	}
}

func TestRead(t *testing.T) {
	for text, want := range map[string]error{
		"":                             nil,
		"# HELP\n\n":                   nil,
		"aadlogin_of_tomorrow{a=\"\"}": nil,
		attempts("denied") + " -1\n" + attempts("failed") + " 1e3\n" + logRead + " NaN\n" +
			foreignTotal + " 99999999999999999999": nil,
		"node_load1 0.1\n":                       ErrForeign,
		"root:x:0:0\n":                           ErrForeign,
		"aadlogin_" + strings.Repeat("a", 1<<17): ErrForeign,
	} {
		m, err := Read(strings.NewReader(text))
		if !errors.Is(err, want) || err == nil && !reflect.DeepEqual(m, new(Metrics)) {
			t.Errorf("%.40q: %+v, %v", text, m, err)
		}
	}
}

func TestParseTook(t *testing.T) {
	for text, want := range map[string]uint64{"0.000s": 0, "0.310s": 310, "59.001s": 59001} {
		if got, ok := parseDuration(text); got != want || !ok {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "s", "1.000", ".5s", "-1.000s", "1.0000s", "1e3s",
		"86400.000s", "+1.000s"} {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%q: %d", text, got)
		}
	}
}

// The reasons are exactly those that pam_aad(8) has for denied and failed.
func TestReasonsAreThoseOfTheLog(t *testing.T) {
	text, err := os.ReadFile("../../packaging/man/pam_aad.8")
	if err != nil {
		t.Fatal(err)
	}
	_, log, _ := strings.Cut(string(text), "The reasons of\n.Cm denied")
	log, _, _ = strings.Cut(log, "The reasons of\n.Cm signed-in")
	var listed []string
	for _, item := range regexp.MustCompile(`(?m)^\.It Sy (\S+)`).FindAllStringSubmatch(log, -1) {
		listed = append(listed, item[1])
	}
	slices.Sort(listed)
	if listed = slices.Compact(listed); !slices.Equal(listed, reasons) {
		t.Errorf("the manual page has\n%q, here are\n%q", listed, reasons)
	}
}

// A file that was tampered with is either refused, or read and written with the usual few series.
func FuzzRead(f *testing.F) {
	f.Add([]byte(logRead + " 1772366400\n" + attempts("denied") + " 3\n"))
	f.Add([]byte(tripSum("entra") + " 18014398509481983.999\n" +
		bucket("entra", "0.1") + " 9007199254740991"))
	f.Add([]byte(attempts("denied") + " 9007199254740991"))
	f.Add([]byte("aadlogin_attempts_total{outcome=\"denied\"} 1\nroot"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Read(bytes.NewReader(text))
		if err != nil {
			return
		}
		m.Add(event("denied", "reason", "no-role", "azure_duration", "0.100s"), true)
		first := written(t, m)
		again, err := Read(strings.NewReader(first))
		if err != nil || written(t, again) != first {
			t.Errorf("%q is written as\n%s, and that as\n%s, %v", text,
				first, written(t, again), err)
		}
	})
}
