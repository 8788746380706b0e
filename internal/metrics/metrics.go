// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package metrics counts how attempts to sign in ended, in the text format of Prometheus.
//
// The file that it writes is its own memory. The next run reads it, adds what the log has gained
// since, and replaces it. So counters survive the rotation of the log, and there is no other state.
//
// Each label has a fixed set of values, whatever the log contains. No label contains a person's
// name, an address or an id, and a reason that this version does not know is "other".
package metrics

import (
	"strconv"
	"strings"
	"time"

	"aadlogin/internal/authlog"
)

// Metrics holds all counts. The zero value has counted nothing.
type Metrics struct {
	Version  string         // of this software
	Accounts map[string]int // by state; nil if the store cannot be read

	Until       time.Time // the end of the log that has been counted; zero: none of it
	lastSuccess time.Time
	numbers     map[string]uint64 // by name and labels, of series that go on; sums in milliseconds
}

// integers is the number of bits of an integer that a float64 holds exactly.
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
	servers  = []string{"azure", "entra"} // with _duration behind it in the log

	// bounds are the upper bounds of the buckets, in milliseconds. A request that takes longer than
	// the last one has failed by then.
	bounds = []uint64{100, 250, 500, 1000, 2500, 5000, 10000, 30000}
)

// Add counts the end of an attempt. trusted is false for a line that the journal
// ascribes to a process without root's rights.
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

// count adds to a series. Beyond the integers that Prometheus holds exactly, it begins again at
// zero, which Prometheus takes for a restart.
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

// observe counts a duration in a histogram. Each bucket includes the ones before it.
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

// parseDuration reads a duration as package signin writes it, in milliseconds. No sign-in takes a
// day.
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
