// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"slices"
	"testing"
)

// The directory exchanges the names of two people. Each keeps uid and home, and each name leads to
// its new owner.
func TestSwap(t *testing.T) {
	s := newStore(t)
	alice, bob := bind(t, s, testRules(), "alice@contoso.com"),
		bind(t, s, testRules(), "bob@fabrikam.com")
	update(t, s, func(e *Edit) (err error) {
		alice.Admin = true
		if alice, err = e.Rename(alice, Name{"al@contoso.com", "al@contoso.com"}); err != nil {
			return err
		}
		if err := e.Swap(alice, bob); err != nil {
			return err
		}
		for name, uid := range map[string]uint32{
			"bob@fabrikam.com": alice.UID,
			"al@contoso.com":   bob.UID,
		} {
			if a, err := e.ByName(name); err != nil || a.UID != uid {
				t.Errorf("in the edit, %s is %d, %v", name, a.UID, err)
			}
		}
		return nil
	})
	snapshot := open(t, s)
	if err := snapshot.Check(); err != nil {
		t.Fatal(err)
	}
	a, err := snapshot.ByName("bob@fabrikam.com")
	if err != nil || a.UID != alice.UID || a.UPN != "bob@fabrikam.com" || a.Gecos != a.UPN ||
		a.Home != alice.Home || !a.Admin || a.ObjectID != alice.ObjectID ||
		!slices.Equal(a.Former, []string{"alice@contoso.com"}) {
		t.Errorf("%+v, %v", a, err)
	}
	b, err := snapshot.ByName("al@contoso.com")
	if err != nil || b.UID != bob.UID || b.ObjectID != bob.ObjectID || b.Admin ||
		len(b.Former) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
	who := Identity{tenant, alice.ObjectID, "bob@fabrikam.com", "bob@fabrikam.com"}
	update(t, s, func(e *Edit) error { _, err := e.Bind(who, alice.UID); return err })
	if err := s.Update(func(e *Edit) error { return e.Swap(a, a) }); err == nil {
		t.Error("an account was exchanged with itself")
	}
}

// A present or former name of one account cannot be given to another.
func TestRenameTakesNothing(t *testing.T) {
	s := newStore(t)
	alice := bind(t, s, testRules(), "alice@contoso.com")
	bob := bind(t, s, testRules(), "bob@fabrikam.com")
	update(t, s, func(e *Edit) error {
		_, err := e.Rename(bob, Name{"rob@fabrikam.com", "rob@fabrikam.com"})
		return err
	})
	for _, name := range []string{"bob@fabrikam.com", "rob@fabrikam.com"} {
		err := s.Update(func(e *Edit) error {
			_, err := e.Rename(alice, Name{name, name})
			return err
		})
		if !errors.Is(err, ErrOtherObject) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An account's former id is given to nobody else, and the account is complete.
func TestMove(t *testing.T) {
	s := newStore(t)
	alice, bob := bind(t, s, crowded(), "alice@contoso.com"),
		bind(t, s, crowded(), "bob@contoso.com")
	to := uint32(5000)
	update(t, s, func(e *Edit) (err error) {
		alice.Admin = true
		if alice, err = e.Rename(alice, Name{"al@contoso.com", "al@contoso.com"}); err != nil {
			return err
		}
		moved, err := e.Move(alice, to)
		if err != nil || moved.UID != to {
			t.Errorf("%+v, %v", moved, err)
		}
		for what, get := range map[string]func() (Account, error){
			"name":   func() (Account, error) { return e.ByName("al@contoso.com") },
			"former": func() (Account, error) { return e.Holder("alice@contoso.com") },
			"object": func() (Account, error) { return e.ByObject(tenant, alice.ObjectID) },
		} {
			if a, err := get(); err != nil || a.UID != to {
				t.Errorf("in the edit, by %s: %+v, %v", what, a, err)
			}
		}
		return nil
	})
	snapshot := open(t, s)
	if err := snapshot.Check(); err != nil {
		t.Fatal(err)
	}
	want := alice
	want.UID = to
	if a, err := snapshot.ByName("al@contoso.com"); err != nil || !a.equal(want) {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := snapshot.ByObject(tenant, alice.ObjectID); err != nil || a.UID != to {
		t.Errorf("%+v, %v", a, err)
	}
	left, err := snapshot.ByUID(alice.UID)
	if err != ErrRemoved || left.MovedTo != to || left.ObjectID != "" {
		t.Errorf("%+v, %v", left, err)
	}
	// Nobody else gets the old id. An id that is taken or reserved is refused.
	err = s.Update(func(e *Edit) error {
		_, err := e.Move(bob, alice.UID)
		return err
	})
	if err == nil {
		t.Error("bob has what was alice's")
	}
	for _, uid := range []uint32{to, bob.UID, 0, 999, 65534, crowded().Low + 1} {
		err := s.Update(func(e *Edit) error {
			_, err := e.Move(want, uid)
			return err
		})
		if err == nil {
			t.Errorf("moved to %d", uid)
		}
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		if a := bind(t, s, crowded(), name+"@contoso.com"); a.UID == alice.UID {
			t.Errorf("%s got %d", a.Name, a.UID)
		}
	}
	if _, err := open(t, s).NewAccount(Name{"g@contoso.com", "g@contoso.com"}); err != ErrNoID {
		t.Errorf("the eighth of seven ids that are left: %v", err)
	}
	if err := open(t, s).Check(); err != nil {
		t.Error(err)
	}
}

// A mistake can be undone: an account may get each of its former ids back, however it came to this
// machine. Nobody else gets any of them.
func TestMoveBack(t *testing.T) {
	s := newStore(t)
	alice := bind(t, s, crowded(), "alice@contoso.com")
	bob := bind(t, s, crowded(), "bob@contoso.com")
	first := alice.UID
	held := []uint32{first}
	for _, to := range []uint32{5000, 5001, first, 5000, 5002, 5001, first} {
		update(t, s, func(e *Edit) (err error) {
			alice, err = e.Move(alice, to)
			return err
		})
		held = append(held, to)
		snapshot := open(t, s)
		if err := snapshot.Check(); err != nil {
			t.Fatalf("%v: %v", held, err)
		}
		if a, err := snapshot.ByName(alice.Name); err != nil || a.UID != to || !a.equal(alice) {
			t.Fatalf("%v: %+v, %v", held, a, err)
		}
		n := 0
		for a := range snapshot.All() {
			if a.UID == to {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("%v: %d entries of %d", held, n, to)
		}
		for _, uid := range held {
			left, err := snapshot.ByUID(uid)
			if uid != to && (err != ErrRemoved || left.MovedTo == 0 || left.ObjectID != "") {
				t.Errorf("%v: %d: %+v, %v", held, uid, left, err)
			}
			err = s.Update(func(e *Edit) error {
				_, err := e.Move(bob, uid)
				return err
			})
			if err == nil {
				t.Errorf("%v: bob moved to %d", held, uid)
			}
		}
	}
	update(t, s, func(e *Edit) error {
		bob.Removed = e.now
		return e.Put(bob)
	})
	err := s.Update(func(e *Edit) error {
		_, err := e.Move(alice, bob.UID)
		return err
	})
	if err == nil {
		t.Error("alice has what was bob's")
	}
	const another = "99999999-0000-4000-8000-000000000000"
	update(t, s, func(e *Edit) error { return e.Rebind(alice, alice.TenantID, another) })
	alice.ObjectID = another
	for _, uid := range held {
		err := s.Update(func(e *Edit) error {
			_, err := e.Move(alice, uid)
			return err
		})
		if err == nil {
			t.Errorf("another object moved to %d, which was alice's", uid)
		}
	}
}

// An account is given to another object with its name, id and home, and without what the former
// object was allowed.
func TestRebind(t *testing.T) {
	s := newStore(t)
	alice := bind(t, s, testRules(), "alice@contoso.com")
	bob := bind(t, s, testRules(), "bob@contoso.com")
	update(t, s, func(e *Edit) error {
		a := alice
		a.Admin, a.Groups = true, []uint32{44}
		return e.Put(a)
	})
	again := person("alice@contoso.com")
	again.ObjectID = "created-again"
	err := s.Update(func(e *Edit) error {
		_, err := e.Bind(again, alice.UID)
		return err
	})
	if !errors.Is(err, ErrOtherObject) {
		t.Fatalf("before: %v", err)
	}
	update(t, s, func(e *Edit) error { return e.Rebind(alice, tenant, again.ObjectID) })
	if err := open(t, s).Check(); err != nil {
		t.Error(err)
	}
	a, err := open(t, s).ByObject(tenant, again.ObjectID)
	if err != nil || a.UID != alice.UID || a.Home != alice.Home || a.Name != alice.Name ||
		a.Admin || len(a.Groups) > 0 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := open(t, s).ByObject(tenant, alice.ObjectID); err != ErrUnknown {
		t.Errorf("the former object: %v", err)
	}
	update(t, s, func(e *Edit) error { _, err := e.Bind(again, alice.UID); return err })
	err = s.Update(func(e *Edit) error {
		_, err := e.Bind(person("alice@contoso.com"), alice.UID)
		return err
	})
	if !errors.Is(err, ErrOtherObject) {
		t.Errorf("the former object signs in: %v", err)
	}
	for what, oid := range map[string]string{
		"another's object": bob.ObjectID,
		"no object":        "",
		"no identifier":    "a/b",
	} {
		if err := s.Update(func(e *Edit) error { return e.Rebind(a, tenant, oid) }); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}
