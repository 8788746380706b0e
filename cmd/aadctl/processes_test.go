// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"slices"
	"testing"
)

func TestUidsOf(t *testing.T) {
	const head = "Name:\tx\n"
	for status, want := range map[string][]string{
		head + "State:\tS (sleeping)\nUid:\t1\t2\t3\t4\nGid:\t5\t5\t5\t5\n": {"1", "2", "3", "4"},
		head + "State:\tZ (zombie)\nUid:\t1\t1\t1\t1\n":                     nil,
		"Name:\tUid: 7\nState:\tS (sleeping)\nUid:\t1\t1\t1\t1\n":           {"1", "1", "1", "1"},
		head: {},
		"":   {},
	} {
		if got := uidsOf([]byte(status)); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", status, got, want)
		}
	}
	// This compares with the kernel's ids of this process.
	if pids, err := processesOf(uint32(os.Geteuid())); err != nil ||
		!slices.Contains(pids, os.Getpid()) {
		t.Errorf("%d is not among %v, %v", os.Getpid(), pids, err)
	}
}

func TestSome(t *testing.T) {
	for want, pids := range map[string][]int{"7": {7}, "1 2 3 4 5": {1, 2, 3, 4, 5},
		"1 2 3 4 5 and 2 more": {1, 2, 3, 4, 5, 6, 7}} {
		if got := some(pids); got != want {
			t.Errorf("%v: %q, want %q", pids, got, want)
		}
	}
}
