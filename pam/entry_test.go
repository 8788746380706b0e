// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"testing"
)

// libpam frees an item that a host sets anew, and a host may do so in its conversation. An attempt
// goes on with the items that it began with, and lets nobody in under another name.
func TestConversationSetsAnItem(t *testing.T) {
	door := harness(t, "door", "line.c")
	const pairs = ` account="alice@contoso.com" service="sudo" rhost="198.51.100.7"` +
		` attempt="an-attempt"`
	const died, changed = `failed reason="worker-died"` + pairs, `failed reason="user-changed"` + pairs
	const worker = "the worker's line"
	for _, test := range []struct {
		item, phase string
		result      int
		want        []string
	}{
		{"none", "auth", pamSuccess, []string{"0", "0", worker}},
		{"service", "auth", pamSuccess, []string{"0", "0", worker}},
		{"rhost", "auth", pamSuccess, []string{"0", "0", worker}},
		{"user", "auth", pamSuccess, []string{"4", "6 asked", changed, worker}},
		{"user", "auth", pamPermDenied, []string{"6", "6 asked", worker, worker}},
		{"user", "auth", -1, []string{"4", "6 asked", died, worker}},
		{"service", "auth", -1, []string{"4", "6 asked", died, worker}},
		{"rhost", "auth", -1, []string{"4", "6 asked", died, worker}},
		{"user", "account", pamSuccess, []string{"4", "6 asked", changed, worker}},
		{"user", "account", -1, []string{"4", "6 asked", died, worker}},
	} {
		got := play(t, door, test.item, test.phase, fmt.Sprint(test.result))
		if !slices.Equal(got, test.want) {
			t.Errorf("%s, %s, %d: %q, want %q", test.item, test.phase, test.result, got, test.want)
		}
	}
}
