// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/account"
)

const enough = 4096

func wantPasswd(a account.Account) passwd {
	return passwd{a.Name, "*", a.Gecos, a.Home, a.Shell, a.UID, a.UID}
}

func TestPasswd(t *testing.T) {
	data, snapshot := build(t, testRules(), people)
	s := load(t, data)
	seen := 0
	for a := range snapshot.All() {
		want, wantResult := wantPasswd(a), ok
		if !a.Removed.IsZero() {
			want, wantResult = passwd{}, absent
		}
		seen++
		if got, r := s.passwdByName(a.Name, enough); r != wantResult || got != want {
			t.Errorf("by name %s: %+v, %v", a.Name, got, r)
		}
		if got, r := s.passwdByUID(a.UID, enough); r != wantResult || got != want {
			t.Errorf("by uid %d: %+v, %v", a.UID, got, r)
		}
	}
	if seen != 6 {
		t.Fatalf("%d accounts", seen)
	}
	for _, name := range []string{
		"", "@", "root", "alice", "Alice@contoso.com", "was@contoso.com", "bob@contoso.com",
		"alice@contoso.com@", strings.Repeat("a", 5000),
	} {
		if got, r := s.passwdByName(name, enough); r != absent {
			t.Errorf("by name %.20q: %+v, %v", name, got, r)
		}
	}
	for _, uid := range []uint32{0, 1, 999, 1000, testRules().Low, testRules().Low + 1, 1<<32 - 1} {
		if got, r := s.passwdByUID(uid, enough); r != absent {
			t.Errorf("by uid %d: %+v, %v", uid, got, r)
		}
	}
}

// A buffer of any length is either too small or gets the whole answer.
func TestBufferLengths(t *testing.T) {
	rules := testRules()
	rules.PreAuthServices = append(rules.PreAuthServices, self(t))
	rules.Home = "/home/%d/%l/%u%%"
	data, _ := build(t, rules, people)
	s := load(t, data)
	lookups := map[string]func(int) (any, result){
		"passwd": func(n int) (any, result) {
			return two(s.passwdByName("alice@contoso.com", n))
		},
		"uid": func(n int) (any, result) { return two(s.passwdByUID(3197663, n)) },
		"private": func(n int) (any, result) {
			return two(s.groupByName("alice@contoso.com", n, 0))
		},
		"users":       func(n int) (any, result) { return two(s.groupByName("aad_users", n, 0)) },
		"admins":      func(n int) (any, result) { return two(s.groupByGID(rules.Low+1, n)) },
		"unaligned 1": func(n int) (any, result) { return two(s.groupByName("aad_admins", n, 1)) },
		"unaligned 7": func(n int) (any, result) { return two(s.groupByName("aad_admins", n, 7)) },
	}
	if os.Geteuid() == 0 {
		lookups["fresh"] = func(n int) (any, result) {
			return two(s.passwdByName("new@fabrikam.com", n))
		}
	}
	for what, lookup := range lookups {
		want, r := lookup(enough)
		if r != ok {
			t.Errorf("%s: %v", what, r)
			continue
		}
		fits := false
		for n := range 300 {
			got, r := lookup(n)
			switch {
			case r == ok && fmt.Sprint(got) == fmt.Sprint(want):
				fits = true
			case r != small || fits:
				t.Errorf("%s with %d bytes: %v, %v", what, n, got, r)
			}
		}
		if !fits {
			t.Errorf("%s never fits", what)
		}
	}
}

func two[T any](v T, r result) (any, result) { return v, r }

func TestGroup(t *testing.T) {
	data, snapshot := build(t, testRules(), people)
	s := load(t, data)
	var admins []string
	for a := range snapshot.All() {
		if a.Admin && a.Removed.IsZero() {
			admins = append(admins, a.Name)
		}
		want, wantResult := group{a.Name, "*", a.UID, nil}, ok
		if !a.Removed.IsZero() {
			want, wantResult = group{}, absent
		}
		byName, r1 := s.groupByName(a.Name, enough, 0)
		byGID, r2 := s.groupByGID(a.UID, enough)
		if r1 != wantResult || r2 != wantResult || !same(byName, want) || !same(byGID, want) {
			t.Errorf("%s: %+v %v, %+v %v", a.Name, byName, r1, byGID, r2)
		}
	}
	low := testRules().Low
	for _, want := range []group{
		{"aad_users", "*", low, nil}, {"aad_admins", "*", low + 1, admins},
	} {
		byName, r1 := s.groupByName(want.name, enough, 0)
		byGID, r2 := s.groupByGID(want.gid, enough)
		if r1 != ok || r2 != ok || !same(byName, want) || !same(byGID, want) {
			t.Errorf("%s: %+v %v, %+v %v", want.name, byName, r1, byGID, r2)
		}
	}
	if len(admins) != 2 {
		t.Errorf("administrators %q", admins)
	}
	for _, name := range []string{
		"", "root", "wheel", "aad", "was@contoso.com", "new@contoso.com",
	} {
		if got, r := s.groupByName(name, enough, 0); r != absent {
			t.Errorf("%q: %+v, %v", name, got, r)
		}
	}
	for _, gid := range []uint32{0, 27, 999, low + 2, 1<<32 - 1} {
		if got, r := s.groupByGID(gid, enough); r != absent {
			t.Errorf("%d: %+v, %v", gid, got, r)
		}
	}
}

func same(a, b group) bool {
	return a.name == b.name && a.password == b.password && a.gid == b.gid &&
		slices.Equal(a.members, b.members)
}

func TestInitgroups(t *testing.T) {
	data, snapshot := build(t, testRules(), people)
	s := load(t, data)
	low := testRules().Low
	admin, err := snapshot.ByName("admin@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	alice, err := snapshot.ByName("alice@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		user        string
		primary     uint32
		have        []uint32
		size, limit int
		want        []uint32
		r           result
	}{
		{"alice@contoso.com", alice.UID, nil, 8, -1, []uint32{low}, ok},
		{"admin@contoso.com", admin.UID, []uint32{admin.UID}, 8, -1,
			[]uint32{admin.UID, low, low + 1, 27, 100}, ok},
		{"admin@contoso.com", admin.UID, nil, 8, 0, []uint32{low, low + 1, 27, 100}, ok},
		{"admin@contoso.com", admin.UID, []uint32{5, 100, low}, 8, -1,
			[]uint32{5, 100, low, low + 1, 27}, ok},
		// grows
		{"admin@contoso.com", admin.UID, []uint32{5}, 1, -1,
			[]uint32{5, low, low + 1, 27, 100}, ok},
		{"admin@contoso.com", admin.UID, []uint32{5}, 1, 3, []uint32{5, low, low + 1}, ok},
		{"admin@contoso.com", admin.UID, []uint32{5}, 1, 1, []uint32{5}, ok},
		// a local account of that name
		{"admin@contoso.com", 5, []uint32{5}, 8, -1, []uint32{5}, absent},
		{"gone@contoso.com", 5, []uint32{5}, 1, -1, []uint32{5}, absent},
		{"was@contoso.com", 5, []uint32{5}, 1, -1, []uint32{5}, absent},
		{"new@contoso.com", 5, []uint32{5}, 1, -1, []uint32{5}, absent},
		{"root", 0, []uint32{0}, 1, -1, []uint32{0}, absent},
	} {
		got, r := s.initgroups(c.user, c.primary, c.have, c.size, c.limit)
		if r != c.r || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, %v", c, got, r)
		}
	}
}

func TestEnumeration(t *testing.T) {
	data, snapshot := build(t, testRules(), people)
	s := load(t, data)
	var want []passwd
	for a := range snapshot.All() {
		if a.Removed.IsZero() {
			want = append(want, wantPasswd(a))
		}
	}
	if got := s.all(false); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := s.all(true); !slices.Equal(got, want) {
		t.Errorf("with the file replaced each time: %+v, want %+v", got, want)
	}
}

// Before the first sign-in C answers what Go will store, for many names and when ids collide.
func TestFreshIsWhatWillBeStored(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root is answered")
	}
	rules := testRules()
	rules.PreAuthServices = []string{"sshd", self(t)}
	rules.Home = "/srv/%d/%l"
	crowded := rules
	crowded.Low, crowded.High = 70000, 70000+16+11
	short := rules
	short.ShortNames = true
	for what, rules := range map[string]account.Rules{
		"default range": rules,
		"crowded range": crowded,
		"short names":   short,
	} {
		data, snapshot := build(t, rules, func(e *account.Edit) error {
			for i := range 10 {
				if err := add(e, fmt.Sprintf("u%d@fabrikam.com", i), nil); err != nil {
					return err
				}
			}
			return add(e, "gone@fabrikam.com", func(a *account.Account) { a.Removed = a.Created })
		})
		s := load(t, data)
		later := 0
		for i := range 1000 {
			typed := fmt.Sprintf("new%d@contoso.com", i)
			if rules.ShortNames {
				typed = fmt.Sprintf("new%d", i)
			}
			n, err := rules.Name(typed)
			if err != nil {
				t.Fatal(err)
			}
			a, err := snapshot.NewAccount(n)
			if err != nil {
				t.Fatal(err)
			}
			if a.UID != account.ID(tenant, n.UPN, 0, rules.Low, rules.High) {
				later++
			}
			if got, r := s.passwdByName(typed, enough); r != ok || got != wantPasswd(a) {
				t.Fatalf("%s: %s: %+v, %v; Go will store %+v", what, typed, got, r, a)
			}
			got, r := s.initgroups(typed, a.UID, nil, 1, -1)
			if r != ok || !slices.Equal(got, []uint32{rules.Low}) {
				t.Fatalf("%s: %s: groups %v, %v", what, typed, got, r)
			}
		}
		if (later > 0) != (what == "crowded range") {
			t.Errorf("%s: %d names took a later attempt", what, later)
		}
		for _, typed := range []string{
			"gone@fabrikam.com", "New@fabrikam.com", "new@other.com", "../x@fabrikam.com",
			"-x@fabrikam.com", "root", "1000",
		} {
			if rules.ShortNames && typed == "root" {
				continue // a name like any other; glibc asks for local ones before
			}
			if got, r := s.passwdByName(typed, enough); r != absent {
				t.Errorf("%s: %s: %+v, %v", what, typed, got, r)
			}
		}
	}
}

// A full range has no answer, and not a wrong one.
func TestFullRangeHasNoFreshAnswer(t *testing.T) {
	rules := testRules()
	rules.PreAuthServices = []string{self(t)}
	rules.Low, rules.High = 70000, 70016
	data, _ := build(t, rules, func(e *account.Edit) error { return add(e, "a@contoso.com", nil) })
	if got, r := load(t, data).passwdByName("b@contoso.com", enough); r != absent {
		t.Errorf("%+v, %v", got, r)
	}
}
