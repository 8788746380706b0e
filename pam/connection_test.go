// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"
	"testing"
)

// The next attempt of a connection knows what the person was told by the one before, although each
// is a process of its own. It also knows the age of the connection, from the process that has it:
// the leader of a session, which is the attempt itself or its parent.
func TestConnection(t *testing.T) {
	connection := harness(t, "connection")
	for _, test := range []struct {
		steps []string
		want  string
	}{
		{[]string{"load", "said"}, "said nothing"},
		{[]string{"load", "say=No.\nCorrelation ID: 1", "fork", "said"}, "said No."},
		{[]string{"load", "say=No.", "say=Never.", "said"}, "said Never."},
		{[]string{"load", "say-much", "length"}, "length 4095"},
		{[]string{"load", "say=100%n", "said"}, "said 100%n"},
		{[]string{"other", "load", "say=No.", "said"}, "said nothing"},
		{[]string{"say=No.", "said"}, "said nothing"}, // not loaded, or no memory
		{[]string{"fork", "session", "fork", "later=100", "connected"}, "connected 100"},
		{[]string{"fork", "session", "name", "fork", "later=100", "connected"}, "connected 100"},
		{[]string{"fork", "session", "later=100", "connected"}, "connected 100"},
		{[]string{"fork", "session", "fork", "fork", "later=100", "connected"},
			"connected unknown"},
		{[]string{"other", "fork", "session", "fork", "later=100", "connected"},
			"connected unknown"},
		{[]string{"fork", "session", "fork", "later=-100", "connected"}, "connected unknown"},
	} {
		if got := play(t, connection, test.steps...); !slices.Equal(got, []string{test.want}) {
			t.Errorf("%s: %q, want %q", strings.Join(test.steps, " "), got, test.want)
		}
	}
}
