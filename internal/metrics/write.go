// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Write writes all counts in the text format. It leaves out unknown values and reasons that never
// occurred: a machine has some 40 series.
func (m *Metrics) Write(to io.Writer) error {
	w := bufio.NewWriter(to)
	head(w, attemptsTotal, "counter", "Attempts to sign in that have ended, by how they did.")
	for _, outcome := range outcomes {
		m.line(w, attempts(outcome))
	}
	head(w, refusalsTotal, "counter",
		"Attempts that were denied or have failed, by the reason in the log.")
	for _, met := range refusalSeries() {
		if m.numbers[met] > 0 {
			m.line(w, met)
		}
	}
	head(w, foreignTotal, "counter",
		"Lines in the log that look like the end of an attempt, and that root has not written.")
	m.line(w, foreignTotal)
	head(w, roundTrip, "histogram",
		"How long a server took in a sign-in: Entra ID until there was a code, Azure until it "+
			"was known who may.")
	for _, server := range servers {
		for _, of := range tripSeries(server) {
			m.line(w, of)
		}
	}
	if m.Accounts != nil {
		head(w, accounts, "gauge", "Accounts of this machine, by state.")
		for _, state := range slices.Sorted(maps.Keys(m.Accounts)) {
			fmt.Fprintln(w, series(accounts, "state", state), m.Accounts[state])
		}
	}
	moment(w, lastSuccess, "When somebody was let in last.", m.lastSuccess)
	moment(w, logRead, "Until when the log has been counted.", m.Until)
	head(w, buildInfo, "gauge", "The version of this software.")
	fmt.Fprintln(w, series(buildInfo, "version", m.Version), 1)
	return w.Flush()
}

func head(w io.Writer, name, kind, help string) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (m *Metrics) line(w io.Writer, of string) {
	value := fmt.Sprint(m.numbers[of])
	if isSum(of) {
		value = seconds(m.numbers[of])
	}
	fmt.Fprintln(w, of, value)
}

func isSum(series string) bool { return strings.HasPrefix(series, roundTrip+"_sum{") }

func moment(w io.Writer, name, help string, t time.Time) {
	if !t.IsZero() {
		head(w, name, "gauge", help)
		fmt.Fprintln(w, name, t.Unix())
	}
}
