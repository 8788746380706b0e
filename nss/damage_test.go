// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"bytes"
	"syscall"
	"testing"
	"unsafe"

	"aadlogin/internal/cdb"
)

// ask asks everything of a damaged store. There may be an answer, but never to another question,
// and never with an id of the system.
func ask(t testing.TB, s store, name string, uid uint32) {
	p, r := s.passwdByName(name, enough)
	if r == ok && (p.name != name || p.uid < 1000 || p.gid != p.uid) {
		t.Errorf("asked for %q, got %+v", name, p)
	}
	p, r = s.passwdByUID(uid, enough)
	if r == ok && (p.uid != uid || uid < 1000 || p.gid != uid) {
		t.Errorf("asked for %d, got %+v", uid, p)
	}
	for _, name := range []string{name, "aad_users", "aad_admins"} {
		if g, r := s.groupByName(name, enough, 3); r == ok && (g.name != name || g.gid < 1000) {
			t.Errorf("asked for %q, got %+v", name, g)
		}
	}
	if g, r := s.groupByGID(uid, enough); r == ok && (g.gid != uid || uid < 1000) {
		t.Errorf("asked for %d, got %+v", uid, g)
	}
	gids, _ := s.initgroups(name, uid, nil, 1, 100)
	for _, gid := range gids {
		if gid == 0 {
			t.Errorf("%q is in %v", name, gids)
		}
	}
	for _, p := range s.all(false) {
		if p.uid < 1000 || p.gid != p.uid {
			t.Errorf("enumerated %+v", p)
		}
	}
}

func TestTruncatedAnywhere(t *testing.T) {
	data, _ := build(t, testRules(), people)
	g := guard(t, len(data))
	for n := range data {
		s, ok := openStore(g.put(data[:n]))
		if !ok {
			continue
		}
		ask(t, s, "alice@contoso.com", 3197663)
		s.Close()
	}
}

func TestEveryByteFlipped(t *testing.T) {
	data, _ := build(t, testRules(), people)
	g := guard(t, len(data))
	bad := bytes.Clone(data)
	for i := range data {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad[i] = data[i] ^ flip
			if s, ok := openStore(g.put(bad)); ok {
				ask(t, s, "admin@contoso.com", 3197663)
				s.Close()
			}
		}
		bad[i] = data[i]
	}
}

// A file of 4 GiB and more is no store, even if the rest of it is one.
func TestLargerThan4GiB(t *testing.T) {
	data, _ := build(t, testRules(), people)
	size := 1<<32 + len(data)
	area, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		t.Skip("no 4 GiB of address space here:", err)
	}
	defer syscall.Munmap(area)
	copy(area, data)
	for size, want := range map[int]bool{
		len(data): true,
		1<<32 - 1: true,
		1 << 32:   false,
		size:      false,
	} {
		s, got := openStore(unsafe.Pointer(&area[0]), size)
		if got != want {
			t.Errorf("%d bytes: a store: %v", size, got)
		}
		if got {
			s.Close()
		}
	}
}

func TestUidsBelow1000AreNeverAnswered(t *testing.T) {
	data, _ := build(t, testRules(), people)
	// The uid of an imported account, in the entry as in the key.
	for _, uid := range []uint32{0, 1, 999} {
		bad := bytes.Clone(data)
		at := bytes.Index(bad, []byte("nimported@contoso.com")) + len("nimported@contoso.com")
		bad[at], bad[at+1], bad[at+2], bad[at+3] = byte(uid), byte(uid>>8), 0, 0
		if got, r := load(t, bad).passwdByName("imported@contoso.com", enough); r != damaged {
			t.Errorf("uid %d: %+v, %v", uid, got, r)
		}
	}
}

// Go and C read the same from a sound store.
func TestReadersAgree(t *testing.T) {
	data, _ := build(t, testRules(), people)
	db, err := cdb.New(data)
	if err != nil {
		t.Fatal(err)
	}
	p, n := guard(t, len(data)).put(data)
	records := 0
	for key, value := range db.All() {
		if got, r := get(p, n, key); r != ok || !bytes.Equal(got, value) {
			t.Errorf("%q: %q, %v", key, got, r)
		}
		records++
	}
	if records < 20 {
		t.Errorf("%d records", records)
	}
}
