// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aadlogin/internal/account"
)

// toldRules returns rules under which this process may know of new accounts.
func toldRules(t *testing.T) account.Rules {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root is answered")
	}
	rules := testRules()
	rules.PreAuthServices = []string{self(t)}
	return rules
}

// tenThousand returns the names of testdata/ids/ten-thousand.py.
func tenThousand(i int) string {
	const characters = "abcdefghijklmnopqrstuvwxyz0123456789_.-'!#^~"
	name := []byte(fmt.Sprint(i))
	for j := range i % 98 {
		name = append(name, characters[(i*(j+3)+j*j)%len(characters)])
	}
	return string(name) + []string{"@a.co", "@contoso.com"}[i%2]
}

// C and Go give 10,000 names the ids that a third program gave them, and C answers with the first.
func TestTenThousandNames(t *testing.T) {
	rules := toldRules(t)
	rules.Domains = []string{"contoso.com", "a.co"}
	data, snapshot := build(t, rules, nobody)
	s := load(t, data)
	lines := vectors(t, "ids/ten-thousand.txt")
	if len(lines) != 10000 {
		t.Fatalf("%d names", len(lines))
	}
	for i, line := range lines {
		var first, later uint32
		if _, err := fmt.Sscan(line, &first, &later); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		name, k := tenThousand(i), 1+i%255
		for attempt, want := range map[int]uint32{0: first, k: later} {
			inC := id(tenant, name, attempt, rules.Low, rules.High)
			inGo := account.ID(tenant, name, attempt, rules.Low, rules.High)
			if inC != want || inGo != want {
				t.Errorf("%s, attempt %d: %d in C, %d in Go, want %d",
					name, attempt, inC, inGo, want)
			}
		}
		n, err := rules.Name(name)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := snapshot.NewAccount(n); err != nil || a.UID != first {
			t.Errorf("%s: Go will store %d, %v, want %d", name, a.UID, err, first)
		}
		if got, r := s.passwdByName(name, enough); r != ok || got.uid != first {
			t.Errorf("%s: C answers %d, %v, want %d", name, got.uid, r, first)
		}
	}
}

// colliding finds pairs of names with the same first id.
func colliding(rules account.Rules, names int) (pairs [][2]string) {
	first := map[uint32]string{}
	for i := range names {
		name := fmt.Sprintf("twin%d@contoso.com", i)
		id := account.ID(rules.TenantID, name, 0, rules.Low, rules.High)
		if other, taken := first[id]; taken {
			pairs = append(pairs, [2]string{other, name})
		}
		first[id] = name
	}
	return pairs
}

// signIn is a first sign-in whose host was told this uid by the name service.
func signIn(e *account.Edit, name string, lookupUID uint32) error {
	_, err := e.Bind(
		account.Identity{TenantID: tenant, ObjectID: "oid-" + name, Name: name, UPN: name},
		lookupUID)
	return err
}

// Of two names with the same id, the second one gets the next attempt's: C answers it as soon as
// the first is stored, and Go stores it then.
func TestTwinsTakeTheNextAttempt(t *testing.T) {
	rules := toldRules(t)
	pairs := colliding(rules, 50000)
	if len(pairs) == 0 {
		t.Fatal("no two of 50,000 names collide: the test is no test")
	}
	for _, pair := range pairs {
		for _, p := range [][2]string{pair, {pair[1], pair[0]}} {
			twins(t, rules, p[0], p[1])
		}
	}
}

func twins(t *testing.T, rules account.Rules, first, second string) {
	t.Helper()
	at := func(name string, k int) uint32 {
		return account.ID(tenant, name, k, rules.Low, rules.High)
	}
	before, _ := build(t, rules, nobody)
	one, r1 := load(t, before).passwdByName(first, enough)
	two, r2 := load(t, before).passwdByName(second, enough)
	if r1 != ok || r2 != ok || one.uid != two.uid || one.uid != at(first, 0) {
		t.Fatalf("before: %s %d, %v; %s %d, %v", first, one.uid, r1, second, two.uid, r2)
	}
	between, _ := build(t, rules, func(e *account.Edit) error { return signIn(e, first, one.uid) })
	next, r := load(t, between).passwdByName(second, enough)
	if r != ok || next.uid != at(second, 1) {
		t.Errorf("after %s: %s is %d, %v, want %d", first, second, next.uid, r, at(second, 1))
	}
	after, snapshot := build(t, rules, func(e *account.Edit) error {
		if err := signIn(e, first, one.uid); err != nil {
			return err
		}
		var moved *account.MovedError
		if err := signIn(e, second, two.uid); !errors.As(err, &moved) || moved.Now != next.uid {
			return fmt.Errorf("%s with the uid that is now %s's: %v", second, first, err)
		}
		return signIn(e, second, next.uid)
	})
	for name, want := range map[string]passwd{first: one, second: next} {
		a, err := snapshot.ByName(name)
		got, r := load(t, after).passwdByName(name, enough)
		if err != nil || wantPasswd(a) != want || r != ok || got != want {
			t.Errorf("%s is stored as %+v, %v; C answers %+v, %v, before the sign-in %+v",
				name, a, err, got, r, want)
		}
	}
}

// A small range is used up to its last id, and C always answers what Go stores next. An id that an
// account has left belongs to nobody, and is not free.
func TestRangeFillsUp(t *testing.T) {
	rules := toldRules(t)
	const room = 40
	rules.Low, rules.High = 70000, 70000+16+room-1
	store := account.Store{Dir: t.TempDir()}
	if err := store.Update(func(e *account.Edit) error { return e.SetRules(rules) }); err != nil {
		t.Fatal(err)
	}
	for i, given := 0, 0; given < room; i++ {
		name := fmt.Sprintf("u%d@contoso.com", i)
		got, r := reload(t, store).passwdByName(name, enough)
		err := store.Update(func(e *account.Edit) error { return signIn(e, name, got.uid) })
		if r != ok && !errors.Is(err, account.ErrNoID) || r == ok && err != nil {
			t.Fatalf("%d ids given, %s: C answers %d, %v; Go: %v", given, name, got.uid, r, err)
		}
		if r == ok {
			given++
		}
		if r == ok && given%10 == 0 {
			leave(t, store, name, uint32(5000+given))
		}
	}
}

// leave gives an account another id.
func leave(t *testing.T, from account.Store, name string, to uint32) {
	t.Helper()
	var left uint32
	err := from.Update(func(e *account.Edit) error {
		a, err := e.ByName(name)
		if err != nil {
			return err
		}
		left = a.UID
		_, err = e.Move(a, to)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := reload(t, from)
	if p, r := s.passwdByUID(left, enough); r != absent {
		t.Errorf("%d is %+v, %v", left, p, r)
	}
	if g, r := s.groupByGID(left, enough); r != absent {
		t.Errorf("group %d is %+v, %v", left, g, r)
	}
	if p, r := s.passwdByName(name, enough); r != ok || p.uid != to {
		t.Errorf("%s is %+v, %v", name, p, r)
	}
}

// reload opens the current store for the C side.
func reload(t *testing.T, from account.Store) store {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(from.Dir, "accounts.cdb"))
	if err != nil {
		t.Fatal(err)
	}
	return load(t, data)
}

// The last attempt is the 256th: a name that finds the one free id with it gets it, and one that
// would with the next does not.
func TestLastAttempt(t *testing.T) {
	rules := toldRules(t)
	const room = 100
	rules.Low, rules.High = 70000, 70000+16+room-1
	for k, want := range map[int]result{255: ok, 256: absent} {
		name, free := late(rules, k)
		data, snapshot := build(t, rules, func(e *account.Edit) error {
			return holdAllBut(e, rules, free)
		})
		a, err := snapshot.NewAccount(account.Name{Account: name, UPN: name})
		if err == nil != (want == ok) || err == nil && a.UID != free {
			t.Errorf("attempt %d: %s: Go will store %d, %v", k, name, a.UID, err)
		}
		got, r := load(t, data).passwdByName(name, enough)
		if r != want || r == ok && got.uid != free {
			t.Errorf("attempt %d: %s: C answers %d, %v", k, name, got.uid, r)
		}
	}
}

// late finds a name whose attempt k is the first that makes this id.
func late(rules account.Rules, k int) (name string, id uint32) {
	for i := 0; ; i++ {
		name = fmt.Sprintf("late%d@contoso.com", i)
		var before []uint32
		for attempt := range k {
			before = append(before, account.ID(tenant, name, attempt, rules.Low, rules.High))
		}
		if id = account.ID(tenant, name, k, rules.Low, rules.High); !slices.Contains(before, id) {
			return name, id
		}
	}
}

func holdAllBut(e *account.Edit, rules account.Rules, free uint32) error {
	for id := rules.Low + 16; id <= rules.High; id++ {
		name := fmt.Sprintf("holder%d@contoso.com", id)
		if id == free {
			continue
		}
		err := e.Put(account.Account{
			Name: name, UPN: name, UID: id, Gecos: name, Home: "/", Shell: "/bin/sh",
		})
		if err != nil {
			return err
		}
	}
	return nil
}
