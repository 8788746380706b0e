// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tomorrow returns a store that a later version has written. Package nss makes it.
func tomorrow(t *testing.T) Store {
	t.Helper()
	data, err := os.ReadFile("../../testdata/stores/tomorrow")
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t)
	if err := s.makeDir(); err != nil {
		t.Fatal(err)
	}
	query := 5 + int(data[len(data)-1]) // of the fuzzers
	if err := os.WriteFile(s.Path(), data[:len(data)-query], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := open(t, s).Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

// unknownTo returns everything in a store that this version does not know.
func unknownTo(t *testing.T, s Store) map[string]string {
	t.Helper()
	snapshot := open(t, s)
	all := map[string]string{
		"rules": fmt.Sprintf("%x %q", snapshot.rules.laterFlags, snapshot.rules.later.append(nil)),
	}
	for key, value := range snapshot.db.All() {
		switch {
		case !isKnown(key):
			all["record "+string(key)] = string(value)
		case key[0] == 'g':
			members, err := membersSections(value)
			if err != nil {
				t.Fatal(err)
			}
			all["members"] = fmt.Sprintf("%q", members.append(nil))
		}
	}
	for a := range snapshot.All() {
		if a.MovedTo == 0 {
			all[a.ObjectID+" of "+a.Created.String()] = fmt.Sprintf("%x %q %s", a.later.flags,
				a.later.sections.append(nil), a.later.members)
		}
	}
	return all
}

// Whatever this version changes in a store, the additions of a later version stay.
func TestStoreOfTomorrow(t *testing.T) {
	before := unknownTo(t, tomorrow(t))
	for _, want := range []string{
		"80 ", `what\x00is\x00this`, "record gaad_guests", "record r2", "record z",
		"of account 0030cadf", "4000 ", "of an entry", "of the members",
		`{"deep":[1,2.50,"<x>",null]}`, "Zone",
	} {
		if !strings.Contains(fmt.Sprint(before), want) {
			t.Fatalf("no %q in %q", want, before)
		}
	}
	apply := func(change func(*Rules)) func(*Edit) error {
		return func(e *Edit) error {
			r := testRules()
			change(&r)
			return e.SetRules(r)
		}
	}
	on := func(name string, change func(*Edit, Account) error) func(*Edit) error {
		return func(e *Edit) error {
			a, err := e.ByName(name)
			if err != nil && err != ErrRemoved {
				return err
			}
			return change(e, a)
		}
	}
	for what, change := range map[string]func(*Edit) error{
		"rules": apply(func(r *Rules) { r.Shell, r.ShortNames = "/bin/sh", true }),
		"range": apply(func(r *Rules) { r.Low = 1000000000 }),
		"sign-in": on("alice@contoso.com", func(e *Edit, a Account) error {
			a, err := e.Bind(Identity{a.TenantID, a.ObjectID, a.Name, a.UPN}, a.UID)
			a.Admin, a.Groups = true, []uint32{44}
			return orPut(e, a, err)
		}),
		"claimed": on("imported@contoso.com", func(e *Edit, a Account) error {
			a.Home = "/home/elsewhere" // Bind would give it an object, by which it is known here
			return e.Put(a)
		}),
		"put from scratch": on("alice@contoso.com", func(e *Edit, a Account) error {
			a.later = later{}
			a.Shell = "/bin/sh"
			return e.Put(a)
		}),
		"renamed in Entra ID": on("admin@contoso.com", func(e *Edit, a Account) error {
			_, err := e.Bind(
				Identity{a.TenantID, a.ObjectID, "boss@contoso.com", "boss@contoso.com"}, a.UID)
			return err
		}),
		"rename": on("admin@contoso.com", func(e *Edit, a Account) error {
			_, err := e.Rename(a, Name{"boss@fabrikam.com", "boss@fabrikam.com"})
			return err
		}),
		"swap": on("admin@contoso.com", func(e *Edit, a Account) error {
			b, err := e.ByName("alice@contoso.com")
			if err != nil {
				return err
			}
			return e.Swap(a, b)
		}),
		"uid": on("alice@contoso.com", func(e *Edit, a Account) error {
			_, err := e.Move(a, 4711)
			return err
		}),
		"lock": on("alice@contoso.com",
			func(e *Edit, a Account) error { a.Locked = e.now; return e.Put(a) }),
		"remove": on("admin@contoso.com",
			func(e *Edit, a Account) error { a.Removed, a.Admin = e.now, false; return e.Put(a) }),
		"back": on("gone@contoso.com",
			func(e *Edit, a Account) error { a.Removed = time.Time{}; return e.Put(a) }),
	} {
		s := tomorrow(t)
		err := s.Update(change)
		if err != nil && !strings.Contains(err.Error(), "renamed to boss@contoso.com") {
			t.Errorf("%s: %v", what, err)
		}
		kept(t, what, before, s)
	}
	s := tomorrow(t)
	bind(t, s, testRules(), "new@contoso.com")
	before[person("new@contoso.com").ObjectID+" of "+s.now().String()] = `0 "" map[]`
	kept(t, "a first sign-in", before, s)
}

func orPut(e *Edit, a Account, err error) error {
	if err != nil {
		return err
	}
	return e.Put(a)
}

func kept(t *testing.T, what string, before map[string]string, s Store) {
	t.Helper()
	if _, err := os.Stat(s.path(previousFile)); err != nil {
		t.Fatalf("%s: nothing was written: %v", what, err)
	}
	if err := open(t, s).Check(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	after := unknownTo(t, s)
	if !maps.Equal(before, after) {
		for key := range before {
			if before[key] != after[key] {
				t.Errorf("%s: %s: was %q, is %q", what, key, before[key], after[key])
			}
		}
	}
}

// A backup by a later version is restored unchanged.
func TestRestoreOfTomorrow(t *testing.T) {
	s := tomorrow(t)
	before := unknownTo(t, s)
	backup := filepath.Join(t.TempDir(), "backup")
	data, err := os.ReadFile(s.Path())
	if err == nil {
		err = os.WriteFile(backup, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	bind(t, s, testRules(), "new@contoso.com")
	if err := s.Restore(backup, func([]Account) error { return nil }); err != nil {
		t.Fatal(err)
	}
	kept(t, "restore", before, s)
}

// Later versions give their members new names.
func TestMembersThatAreAlmostKnown(t *testing.T) {
	a := Account{
		Name: "a@contoso.com", UPN: "a@contoso.com", UID: 5000, Home: "/", Shell: "/bin/sh",
		Gecos: "a",
	}
	for members, ok := range map[string]bool{
		`{"upn":"a","x":1}`:     true,
		`{"upn":"a","UPN":"b"}`: false,
		`{"upn":"a"} 2`:         false,
		`[]`:                    false,
	} {
		_, err := parseAccount(entry(a, a.Name, testRules().Low), json.RawMessage(members))
		if (err == nil) != ok {
			t.Errorf("%s: %v", members, err)
		}
	}
}
