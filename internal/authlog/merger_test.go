// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authlog

import (
	"slices"
	"testing"
	"time"
)

// An event that both the journal and a text file hold counts once. An event that only a text file
// still holds counts.
func TestMerger(t *testing.T) {
	at := func(ms int) time.Time { return time.Date(2026, 3, 1, 12, 0, 0, ms*1e6, time.UTC) }
	for name, test := range map[string]struct {
		journal, file, want []int // milliseconds
	}{
		"no journal":      {nil, []int{0, 1000}, []int{0, 1000}},
		"no files":        {[]int{0}, nil, []int{0}},
		"the same events": {[]int{3500, 2250}, []int{2000, 3000}, []int{3500, 2250}},
		"older ones in file": {[]int{2250, 3500}, []int{0, 1000, 2000, 3000},
			[]int{2250, 3500, 0, 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			m := Merger{Keep: func(e Event) {
				got = append(got, int(e.Time.Sub(at(0)).Milliseconds()))
			}}
			for _, ms := range test.journal {
				m.Journal(Event{Time: at(ms)})
			}
			for _, ms := range test.file {
				m.File(Event{Time: at(ms)})
			}
			if !slices.Equal(got, test.want) || m.HasJournal() != (len(test.journal) > 0) {
				t.Errorf("got %v, want %v; journal %v", got, test.want, m.HasJournal())
			}
		})
	}
}
