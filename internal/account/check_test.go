// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import "testing"

// An entry is in the store under its uid and under each name, and the name service reads each of
// them. Check finds a change to any byte of any.
func TestCheckComparesEntries(t *testing.T) {
	s := newStore(t)
	snapshot, err := s.read(rebuild(t))
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	for key, value := range snapshot.db.All() {
		if key[0] != 'u' && key[0] != 'n' {
			continue
		}
		entries++
		for i := range value {
			value[i] ^= 1
			if snapshot.Check() == nil {
				t.Errorf("%s: byte %d of the entry", key, i)
			}
			value[i] ^= 1
		}
	}
	if entries != 2 || snapshot.Check() != nil {
		t.Errorf("%d entries, %v", entries, snapshot.Check())
	}
}
