// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// Only the process that let the person in, with an address, leaves a note, and the note goes with
// it.
func TestSessionNotes(t *testing.T) {
	asRoot(t)
	session := harness(t, "session")
	note := []string{"begun own note 600", "su-ended own note 600", "ended nothing"}
	nothing := []string{"begun nothing", "su-ended nothing", "ended nothing"}
	for host, want := range map[string][]string{
		"":                note,
		"stale":           note,
		"link":            {"begun own garbage 0", "su-ended own garbage 0", "ended nothing"},
		"switched-off":    nothing,
		"no-loginuid":     nothing, // pam_loginuid is not in the stack, or comes later
		"other-account":   nothing,
		"unknown":         nothing,
		"inside":          nothing,
		"no-address":      nothing,
		"empty-address":   nothing,
		"endless-address": nothing,
	} {
		t.Run(host, func(t *testing.T) {
			if got := play(t, session, strings.Fields(host)...); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}
