// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package metrics counts how attempts to sign in ended, in the text format of Prometheus.
//
// The file that it writes is its own memory: the next run reads it, adds what the log has had
// since, and replaces it. So a counter goes on when the log is rotated, and there is no other
// state.
//
// A label has one of a few values, whatever the log holds: names of people, addresses and ids are
// in none, and a reason that this version does not know is "other".
package metrics

import (
	"strconv"
	"strings"
	"time"

	"aadlogin/internal/authlog"
)

// Metrics are all that is counted. The zero value has counted nothing.
type Metrics struct {
	Version  string         // of this software
	Accounts map[string]int // by state; nil if the store cannot be read

	Until       time.Time // the log has been counted up to then; zero: not at all
	lastSuccess time.Time
	// of the series that go on from run to run, by their name and labels; sums are in milliseconds
	numbers map[string]uint64
}

// integers are what a float64 holds of them, in bits.
const integers = 53

// Names of metrics.
const (
	attemptsTotal = "aadlogin_attempts_total"
	refusalsTotal = "aadlogin_refusals_total"
	foreignTotal  = "aadlogin_foreign_lines_total"
	roundTrip     = "aadlogin_round_trip_seconds"
	lastSuccess   = "aadlogin_last_success_timestamp_seconds"
	logRead       = "aadlogin_log_read_timestamp_seconds"
	accounts      = "aadlogin_accounts"
	buildInfo     = "aadlogin_build_info"
)

var (
	outcomes = []string{"authorized", "denied", "failed", "signed-in"}
	servers  = []string{"azure", "entra"} // in the log with _duration behind it

	// bounds of buckets, in milliseconds. What takes longer than the last has come to nothing by
	// then.
	bounds = []uint64{100, 250, 500, 1000, 2500, 5000, 10000, 30000}
)

// Add counts the end of an attempt. trusted is false for a line that nobody with the rights of root
// has written.
func (m *Metrics) Add(e authlog.Event, trusted bool) {
	if !trusted {
		m.count(foreignTotal, 1)
		return
	}
	m.count(attempts(e.Verb), 1)
	switch e.Verb {
	case "denied", "failed":
		m.count(refusals(e.Verb, known(e.Values["reason"])), 1)
	case "signed-in", "authorized":
		if e.Time.After(m.lastSuccess) {
			m.lastSuccess = e.Time
		}
	}
	for _, server := range servers {
		if took, ok := parseDuration(e.Values[server+"_duration"]); ok {
			m.observe(server, took)
		}
	}
}

// count begins anew where Prometheus has no more integers, which it takes for a restart.
func (m *Metrics) count(series string, n uint64) {
	now := m.numbers[series] + n
	if now >= 1<<integers {
		now = n
	}
	m.set(series, now)
}

func (m *Metrics) set(series string, n uint64) {
	if m.numbers == nil {
		m.numbers = map[string]uint64{}
	}
	m.numbers[series] = n
}

// observe counts into a histogram, whose buckets hold what the ones before them hold, too.
func (m *Metrics) observe(server string, took uint64) {
	for _, bound := range bounds {
		if took <= bound {
			m.count(bucket(server, seconds(bound)), 1)
		}
	}
	m.count(bucket(server, infinite), 1)
	m.count(tripCount(server), 1)
	m.count(tripSum(server), took)
}

// parseDuration reads what package signin writes, in milliseconds. No sign-in takes a day.
func parseDuration(text string) (milliseconds uint64, ok bool) {
	text, ok = strings.CutSuffix(text, "s")
	n, err := parseSeconds(text)
	return n, ok && err == nil && n < 86_400_000
}

// parseSeconds reads a number with up to three decimals.
func parseSeconds(text string) (milliseconds uint64, err error) {
	whole, decimals, _ := strings.Cut(text, ".")
	if len(decimals) > 3 || whole == "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(whole+decimals+"000"[len(decimals):], 10, integers)
}
