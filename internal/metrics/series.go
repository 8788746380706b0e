// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"fmt"
	"slices"
	"strings"
)

// infinite is the bound of the bucket that holds everything.
const infinite = "+Inf"

func attempts(outcome string) string { return series(attemptsTotal, "outcome", outcome) }
func refusals(outcome, reason string) string {
	return series(refusalsTotal, "outcome", outcome, "reason", reason)
}
func bucket(server, le string) string {
	return series(roundTrip+"_bucket",
		"server", server, "le", le)
}
func tripSum(server string) string   { return series(roundTrip+"_sum", "server", server) }
func tripCount(server string) string { return series(roundTrip+"_count", "server", server) }

func series(name string, pairs ...string) string {
	var labels []string
	for i := 0; i < len(pairs); i += 2 {
		labels = append(labels, fmt.Sprintf("%s=%q", pairs[i], pairs[i+1]))
	}
	return name + "{" + strings.Join(labels, ",") + "}"
}

// counters returns all series that go on from run to run, in the order of the file.
func counters() (all []string) {
	for _, outcome := range outcomes {
		all = append(all, attempts(outcome))
	}
	all = append(all, refusalSeries()...)
	all = append(all, foreignTotal)
	for _, server := range servers {
		all = append(all, tripSeries(server)...)
	}
	return all
}

func refusalSeries() (all []string) {
	for _, outcome := range []string{"denied", "failed"} {
		for _, reason := range slices.Concat(reasons, []string{other}) {
			all = append(all, refusals(outcome, reason))
		}
	}
	return all
}

func tripSeries(server string) (all []string) {
	for _, bound := range bounds {
		all = append(all, bucket(server, seconds(bound)))
	}
	return append(all, bucket(server, infinite), tripSum(server), tripCount(server))
}

// seconds returns a number without trailing zeros, as Prometheus spells the bound of a bucket.
func seconds(milliseconds uint64) string {
	text := fmt.Sprintf("%d.%03d", milliseconds/1000, milliseconds%1000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
