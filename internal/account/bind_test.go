// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestFirstSignIn(t *testing.T) {
	s := newStore(t)
	a := bind(t, s, testRules(), "alice@contoso.com")
	want := Account{
		Name: "alice@contoso.com", UPN: "alice@contoso.com", Gecos: "alice@contoso.com",
		UID:  ID(tenant, "alice@contoso.com", 0, 1879048192, 2147483646),
		Home: "/home/alice@contoso.com", Shell: "/bin/bash",
		TenantID: tenant, ObjectID: "oid-of-alice-contoso.com", Created: s.Now(),
	}
	if !a.equal(want) {
		t.Errorf("stored %+v, want %+v", a, want)
	}
	snapshot := open(t, s)
	if err := snapshot.Check(); err != nil {
		t.Error(err)
	}
	for what, lookup := range map[string]func() (Account, error){
		"ByName":   func() (Account, error) { return snapshot.ByName(a.Name) },
		"ByUID":    func() (Account, error) { return snapshot.ByUID(a.UID) },
		"ByObject": func() (Account, error) { return snapshot.ByObject(a.TenantID, a.ObjectID) },
	} {
		if got, err := lookup(); err != nil || !got.equal(want) {
			t.Errorf("%s = %+v, %v", what, got, err)
		}
	}
	if _, err := snapshot.ByName("bob@contoso.com"); err != ErrUnknown {
		t.Errorf("ByName of a stranger: %v", err)
	}
	if !snapshot.Rules().Equal(testRules()) {
		t.Errorf("rules %+v", snapshot.Rules())
	}
}

func TestBind(t *testing.T) {
	const alice = "alice@contoso.com"
	uid := ID(tenant, alice, 0, testRules().Low, testRules().High)
	for _, c := range []struct {
		what      string
		who       Identity
		lookupUID uint32
		err       any // nil, an error, or a pointer for errors.As
	}{
		{"again", person(alice), uid, nil},
		{"again, the host took another id", person(alice), uid + 1, new(*MovedError)},
		{"a stranger, the host took another id", person("bob@contoso.com"), uid, new(*MovedError)},
		{"a stranger, the host took nothing", person("bob@contoso.com"), 0, new(*MovedError)},
		{"the name given to another person", Identity{tenant, "other", alice, alice}, uid,
			ErrOtherObject},
		{"the same object id of another tenant", Identity{"other", person(alice).ObjectID, alice,
			alice}, uid, ErrOtherObject},
		{"the removed person", person("gone@contoso.com"), 0, ErrRemoved},
		{"the name of a removed person", Identity{tenant, "other", "gone@contoso.com",
			"gone@contoso.com"}, 0, ErrRemoved},
		{"the locked person", person("held@contoso.com"), 0, ErrLocked},
		{"the locked person, renamed",
			Identity{tenant, person("held@contoso.com").ObjectID, "new@contoso.com",
				"new@contoso.com"}, 0, ErrLocked},
		{"the name of a locked person", Identity{tenant, "other", "held@contoso.com",
			"held@contoso.com"}, 0, ErrOtherObject},
		{"a locked account that nobody has signed in to", person("kept@contoso.com"), 5001,
			ErrLocked},
		{"renamed to a removed person's name", Identity{tenant, person(alice).ObjectID,
			"gone@contoso.com", "gone@contoso.com"}, 0, ErrOtherObject},
		{"renamed to another's name", Identity{tenant, person(alice).ObjectID, "carol@contoso.com",
			"carol@contoso.com"}, 0, ErrOtherObject},
		{"renamed to another's former name", Identity{tenant, person(alice).ObjectID,
			"caro@contoso.com", "caro@contoso.com"}, 0, ErrOtherObject},
		{"a stranger with another's former name", Identity{tenant, "other", "caro@contoso.com",
			"caro@contoso.com"}, 0, ErrOtherObject},
		{"nobody", Identity{Name: alice, UPN: alice}, uid, new(error)},
	} {
		s := newStore(t)
		bind(t, s, testRules(), alice)
		gone := bind(t, s, testRules(), "gone@contoso.com")
		update(t, s, func(e *Edit) error { gone.Removed = s.Now(); return e.Put(gone) })
		held := bind(t, s, testRules(), "held@contoso.com")
		kept := Account{
			Name: "kept@contoso.com", UPN: "kept@contoso.com", UID: 5001, Home: "/home/kept",
			Shell: "/bin/sh",
		}
		held.Locked, kept.Locked = s.Now(), s.Now()
		update(t, s, func(e *Edit) error { return errors.Join(e.Put(held), e.Put(kept)) })
		carol := bind(t, s, testRules(), "caro@contoso.com")
		update(t, s, func(e *Edit) error { carol.Name = "carol@contoso.com"; return e.Put(carol) })
		before, err := os.ReadFile(s.path(storeFile))
		if err != nil {
			t.Fatal(err)
		}
		err = s.Update(func(e *Edit) error { _, err := e.Bind(c.who, c.lookupUID); return err })
		switch want := c.err.(type) {
		case nil:
			if err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
		case error:
			if !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", c.what, err, want)
			}
		default:
			if !errors.As(err, want) {
				t.Errorf("%s: %v, want %T", c.what, err, want)
			}
		}
		if after, _ := os.ReadFile(s.path(storeFile)); !bytes.Equal(before, after) {
			t.Errorf("%s: the store changed", c.what)
		}
	}
}

// A person whose UPN changes keeps uid and home. The directory may give the old name to somebody
// else, who gets none of the files.
func TestRename(t *testing.T) {
	s := newStore(t)
	old := bind(t, s, testRules(), "alice@contoso.com")
	rename := func(to string) *RenamedError {
		who := person("alice@contoso.com")
		who.Name, who.UPN = to, to
		var renamed *RenamedError
		err := s.Update(func(e *Edit) error { _, err := e.Bind(who, 12345); return err })
		if !errors.As(err, &renamed) {
			t.Fatalf("Bind = %v", err)
		}
		return renamed
	}
	now := rename("alicia@contoso.com").New
	if now.Name != "alicia@contoso.com" || now.Gecos != "alicia@contoso.com" ||
		now.UID != old.UID || now.Home != old.Home {
		t.Errorf("renamed to %+v", now)
	}
	snapshot := open(t, s)
	if got, err := snapshot.ByName("alicia@contoso.com"); err != nil || !got.equal(now) {
		t.Errorf("by the new name: %+v, %v", got, err)
	}
	if _, err := snapshot.ByName("alice@contoso.com"); err != ErrUnknown {
		t.Errorf("by the old name: %v", err)
	}
	_, err := snapshot.NewAccount(Name{"alice@contoso.com", "alice@contoso.com"})
	if err != ErrOtherObject {
		t.Errorf("the old name is to be had: %v", err)
	}
	other := Identity{tenant, "other", "alice@contoso.com", "alice@contoso.com"}
	err = s.Update(func(e *Edit) error { _, err := e.Bind(other, old.UID); return err })
	if !errors.Is(err, ErrOtherObject) {
		t.Errorf("another person with the old name: %v", err)
	}
	back := rename("alice@contoso.com").New
	if back.UID != old.UID || !slices.Equal(back.Former, []string{"alicia@contoso.com"}) {
		t.Errorf("renamed back to %+v", back)
	}
	if err := open(t, s).Check(); err != nil {
		t.Error(err)
	}
}

// Machines share files, so people have the same ids on all of them, in whichever order they come.
func TestSameIDsOnEveryMachine(t *testing.T) {
	here, there := newStore(t), newStore(t)
	ids := make(map[string]uint32)
	for i := range 50 {
		name := fmt.Sprintf("u%d@contoso.com", i)
		ids[name] = bind(t, here, testRules(), name).UID
	}
	for i := range 50 {
		name := fmt.Sprintf("u%d@contoso.com", 49-i)
		if uid := bind(t, there, testRules(), name).UID; uid != ids[name] {
			t.Errorf("%s is %d here and %d there", name, ids[name], uid)
		}
	}
}

func TestCollisionsTakeTheNextAttempt(t *testing.T) {
	s := newStore(t)
	seen := make(map[uint32]string)
	later := 0
	for i := range 8 {
		name := fmt.Sprintf("u%d@contoso.com", i)
		a := bind(t, s, crowded(), name)
		if seen[a.UID] != "" || !crowded().allocatable(a.UID) {
			t.Fatalf("%s got id %d, that of %q", name, a.UID, seen[a.UID])
		}
		seen[a.UID] = name
		if a.UID != ID(tenant, name, 0, crowded().Low, crowded().High) {
			later++
		}
	}
	if later == 0 {
		t.Error("no name collided: the test is no test")
	}
	_, err := open(t, s).NewAccount(Name{"u8@contoso.com", "u8@contoso.com"})
	if !errors.Is(err, ErrNoID) {
		t.Errorf("a ninth of eight ids: %v", err)
	}
}

// The name service does not know a removed account, and nobody else gets its name or id.
func TestTombstone(t *testing.T) {
	s := newStore(t)
	a := bind(t, s, crowded(), "alice@contoso.com")
	update(t, s, func(e *Edit) error { a.Removed, a.Admin = s.Now(), true; return e.Put(a) })
	snapshot := open(t, s)
	for what, err := range map[string]error{
		"ByName":   second(snapshot.ByName(a.Name)),
		"ByUID":    second(snapshot.ByUID(a.UID)),
		"ByObject": second(snapshot.ByObject(a.TenantID, a.ObjectID)),
	} {
		if err != ErrRemoved {
			t.Errorf("%s = %v", what, err)
		}
	}
	for i := range 7 {
		if b := bind(t, s, crowded(), fmt.Sprintf("u%d@contoso.com", i)); b.UID == a.UID {
			t.Errorf("%s got the removed account's id", b.Name)
		}
	}
	if n := len(slices.Collect(open(t, s).All())); n != 8 {
		t.Errorf("%d accounts are listed", n)
	}
}

func second(_ Account, err error) error { return err }

func TestPutTakesNothingFromOthers(t *testing.T) {
	s := newStore(t)
	alice := bind(t, s, testRules(), "alice@contoso.com")
	bob := bind(t, s, testRules(), "bob@contoso.com")
	for what, change := range map[string]func(*Account){
		"name":         func(a *Account) { a.Name = alice.Name },
		"object":       func(a *Account) { a.ObjectID = alice.ObjectID },
		"other object": func(a *Account) { a.ObjectID = "new" },
		"no object":    func(a *Account) { a.TenantID, a.ObjectID = "", "" },
		"id 0":         func(a *Account) { a.UID = 0 },
		"system id":    func(a *Account) { a.UID = 999 },
		"id -1":        func(a *Account) { a.UID = 1<<32 - 1 },
		"group's id":   func(a *Account) { a.UID, a.ObjectID = testRules().Low+1, "new" },
		"outside range": func(a *Account) {
			a.UID, a.ObjectID, a.Name = 5000, "new", "new@contoso.com"
		},
		"name syntax":   func(a *Account) { a.Name = "../etc" },
		"root":          func(a *Account) { a.Name = "Root@contoso.com" },
		"home":          func(a *Account) { a.Home = "home" },
		"another line":  func(a *Account) { a.Home = "/home\nroot::0:0" },
		"another field": func(a *Account) { a.Gecos = "a:b" },
		"NUL":           func(a *Account) { a.Shell = "/bin/sh\x00" },
		"group 0":       func(a *Account) { a.Groups = []uint32{0} },
		"long":          func(a *Account) { a.Gecos = strings.Repeat("x", maxText+1) },
	} {
		a := bob
		change(&a)
		if err := s.Update(func(e *Edit) error { return e.Put(a) }); err == nil {
			t.Errorf("%s: stored %+v", what, a)
		}
	}
}
