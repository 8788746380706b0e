// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"aadlogin/internal/emulator"
)

// A sign-in in a store that a later version has written (internal/account, "Later versions") keeps
// everything that this version does not know.
func TestStoreOfTomorrow(t *testing.T) {
	m := newMachine(t, "")
	data, err := os.ReadFile("../../testdata/stores/tomorrow")
	if err != nil {
		t.Fatal(err)
	}
	query := 5 + int(data[len(data)-1]) // of the fuzzers
	if err := os.Mkdir(m.store.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m.write(m.store.Path(), string(data[:len(data)-query]))
	// By the store's own rules the home is below /home, so the name must be one that nobody uses on
	// the machine that runs this.
	const late = "tomorrow@contoso.example"
	err = m.entra.Update(func(d *emulator.Directory) {
		d.Users = append(d.Users,
			emulator.User{Name: late, ObjectID: "99999999-1111-2222-3333-444444444444"})
		d.Groups[1].Members = append(d.Groups[1].Members, late)
	})
	if err != nil {
		t.Fatal(err)
	}
	got, conv := m.signIn(m.request(late), late)
	ended(t, got, conv, Success, "", "signed-in")
	if a := m.stored(late); !a.Admin {
		t.Errorf("stored %+v", a)
	}
	if _, err := os.Stat(filepath.Join(m.store.Dir, "accounts.cdb.previous")); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(m.store.Path())
	if err != nil {
		t.Fatal(err)
	}
	for text, times := range map[string]int{
		"gaad_guests": 1, "not the rules\x00\xff": 1, "what\x00is\x00this": 1, "of the members": 1,
		"of account 0030cadf": 1, "of account ": 6,
		`"tomorrow":{"deep":[1,2.50,"<x>",null]},"Zone":"later"}`: 6, "of an entry": 13,
	} {
		if n := bytes.Count(after, []byte(text)); n != times {
			t.Errorf("%q is there %d times, not %d", text, n, times)
		}
	}
}
