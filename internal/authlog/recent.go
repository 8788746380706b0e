// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authlog

import (
	"slices"
	"time"
)

// Recent keeps the newest of all events that it is given, in whatever order.
type Recent struct {
	Max   int              // how many
	Since time.Time        // what is older does not count
	Want  func(Event) bool // nil: all

	Total int // how many counted
	kept  []Event
}

// Add gives it one more event.
func (r *Recent) Add(e Event) {
	if e.Time.Before(r.Since) || r.Want != nil && !r.Want(e) {
		return
	}
	r.Total++
	if r.kept = append(r.kept, e); len(r.kept) >= 2*r.Max {
		r.trim()
	}
}

// Events returns the events kept, newest first.
func (r *Recent) Events() []Event {
	r.trim()
	return r.kept
}

func (r *Recent) trim() {
	slices.SortStableFunc(r.kept, func(a, b Event) int { return b.Time.Compare(a.Time) })
	r.kept = r.kept[:min(len(r.kept), r.Max)]
}
