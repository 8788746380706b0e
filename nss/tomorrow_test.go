// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aadlogin/internal/cdb"
)

// rewritten returns a store with its records as change makes them.
func rewritten(
	t testing.TB, data []byte, change func(key, value []byte, add func(key, value []byte)),
) []byte {
	t.Helper()
	db, err := cdb.New(data)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := cdb.NewWriter(f)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range db.All() {
		change(key, bytes.Clone(value), func(key, value []byte) {
			if err := w.Add(key, value); err != nil {
				t.Fatal(err)
			}
		})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// tomorrow returns a store as a later version may write it: with more in every record, and with
// records of kinds that this version does not know.
func tomorrow(t testing.TB, data []byte) []byte {
	t.Helper()
	return rewritten(t, data, func(key, value []byte, add func(key, value []byte)) {
		add(key, grown(key, value))
		switch key[0] {
		case 'a':
			add([]byte("t"+string(key[1:])), []byte("of account "+string(key[1:])))
		case 'g':
			add([]byte("gaad_guests"), []byte("\x00\x00\x00\x00"))
			add([]byte("r2"), []byte("not the rules\x00\xff"))
			add([]byte("z"), nil)
		}
	})
}

// grown returns a record with everything added to it that the format allows.
func grown(key, value []byte) []byte {
	switch key[0] {
	case 'r':
		value[5] |= 0x80
		value = section(value, 0x7000, "what\x00is\x00this")
		value = section(value, 0x7001, "")
		return section(value, 0xffff, "last")
	case 'u', 'n':
		value[5] |= 0x40 // the high byte of the flags
		return section(value, 0x7000, "of an entry")
	case 'a':
		return append(value[:len(value)-1],
			`,"tomorrow":{"deep":[1,2.50,"<x>",null]},"Zone":"later"}`...)
	case 'g':
		return section(value, 0x7000, "of the members")
	}
	return value
}

func section(b []byte, tag uint16, content string) []byte {
	b = little.AppendUint16(b, tag)
	b = little.AppendUint16(b, uint16(len(content)))
	return append(b, content...)
}

// This version reads a store of a later version as if it had only what this version knows.
func TestStoreOfTomorrow(t *testing.T) {
	data, _ := build(t, testRules(), people)
	newReaders(t, 1<<16).agree(t, tomorrow(t, data), "admin@contoso.com", 3197663)
	today, later := load(t, data), load(t, tomorrow(t, data))
	for _, p := range today.all(false) {
		if got, r := later.passwdByName(p.name, enough); r != ok || got != p {
			t.Errorf("by name: %+v, %v, want %+v", got, r, p)
		}
		if got, r := later.passwdByUID(p.uid, enough); r != ok || got != p {
			t.Errorf("by uid: %+v, %v, want %+v", got, r, p)
		}
		want, _ := today.initgroups(p.name, p.uid, nil, 8, -1)
		got, r := later.initgroups(p.name, p.uid, nil, 8, -1)
		if r != ok || !slices.Equal(got, want) {
			t.Errorf("groups of %s: %v, %v, want %v", p.name, got, r, want)
		}
	}
	if got, want := later.all(true), today.all(true); len(want) != 5 || !slices.Equal(got, want) {
		t.Errorf("enumerated %+v, want %+v", got, want)
	}
	want, _ := today.groupByName("aad_admins", enough, 0)
	got, r := later.groupByName("aad_admins", enough, 0)
	if r != ok || len(want.members) != 2 || !same(got, want) {
		t.Errorf("%+v, %v, want %+v", got, r, want)
	}
	for _, name := range []string{"gone@contoso.com", "was@contoso.com"} {
		if got, r := later.passwdByName(name, enough); r != absent {
			t.Errorf("%s: %+v, %v", name, got, r)
		}
	}
}

func TestSectionsOfTheRules(t *testing.T) {
	data, _ := build(t, testRules(), few)
	s := load(t, tomorrow(t, data))
	for tag, want := range map[uint16]string{
		0x7000: "what\x00is\x00this",
		0x7001: "",
		0xffff: "last",
	} {
		if got, there := s.section(tag); !there || string(got) != want {
			t.Errorf("section %#x: %q, %v, want %q", tag, got, there, want)
		}
	}
	for _, tag := range []uint16{0, 1, 0x6fff, 0x7002, 0xfffe} {
		if got, there := s.section(tag); there {
			t.Errorf("section %#x: %q", tag, got)
		}
	}
	for what, tail := range map[string][]byte{
		"half a head":    {1, 0, 0},
		"one too long":   {1, 0, 2, 0, 'x'},
		"the same twice": section(section(nil, 1, "a"), 1, "b"),
		"not in order":   section(section(nil, 2, "a"), 1, "b"),
	} {
		bad := rewritten(t, data, func(key, value []byte, add func(key, value []byte)) {
			if key[0] == 'r' {
				value = append(value, tail...)
			}
			add(key, value)
		})
		if s, isStore := openStore(guard(t, len(bad)).put(bad)); isStore {
			s.Close()
			t.Errorf("%s: C reads it", what)
		}
		// Go reads no store that C refuses
		newReaders(t, len(bad)).agree(t, bad, "a@contoso.com", 1000)
	}
}
