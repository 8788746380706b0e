// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"testing"
	"time"
)

// The first ids of the range are groups, and one of them is the administrators'. A range that
// begins at the id of an account would put that account into the group.
func TestRangeThatBeginsAtSomebody(t *testing.T) {
	s := newStore(t)
	update(t, s, func(e *Edit) error {
		if err := e.SetRules(testRules()); err != nil {
			return err
		}
		for _, a := range []Account{
			{Name: "bob@contoso.com", UID: 3197663}, {Name: "carol@contoso.com", UID: 3197700},
			{Name: "gone@contoso.com", UID: 3200000, Removed: time.Now()},
			{Name: "moved@contoso.com", UID: 3300000},
		} {
			a.UPN, a.Home, a.Shell = a.Name, "/home/x", "/bin/sh"
			if err := e.Put(a); err != nil {
				return err
			}
		}
		moved, err := e.ByName("moved@contoso.com")
		if err != nil {
			return err
		}
		_, err = e.Move(moved, 3300500)
		return err
	})
	s.Etc = etc("joe:x:10001:20000:::\n",
		"docker2:x:30015:\naad_users:x:50000:\naad_admins:x:50001:\nelse:x:60001:\n")
	for low, want := range map[uint32]string{
		3197663 - 16: "",
		3197663 - 15: "account: accounts.id_range: ids 3197648 to 3197663 are groups (3197649 is " +
			"aad_admins), and 3197663 is that of account bob@contoso.com",
		3197663: "account: accounts.id_range: ids 3197663 to 3197678 are groups (3197664 is " +
			"aad_admins), and 3197663 is that of account bob@contoso.com",
		3197664: "",
		3197700 - 1: "account: accounts.id_range: ids 3197699 to 3197714 are groups (3197700 is " +
			"aad_admins), and 3197700 is that of account carol@contoso.com",
		3200000: "account: accounts.id_range: ids 3200000 to 3200015 are groups (3200001 is " +
			"aad_admins), and 3200000 is that of the former account gone@contoso.com",
		3299999: "account: accounts.id_range: ids 3299999 to 3300014 are groups (3300000 is " +
			"aad_admins), and 3300000 is that of the former account moved@contoso.com",
		3300500: "account: accounts.id_range: ids 3300500 to 3300515 are groups (3300501 is " +
			"aad_admins), and 3300500 is that of account moved@contoso.com",
		10000: "account: accounts.id_range: ids 10000 to 10015 are groups (10001 is aad_admins), " +
			"and 10001 is that of the local account joe",
		20000: "account: accounts.id_range: ids 20000 to 20015 are groups (20001 is aad_admins), " +
			"and 20000 is that of the group of the local account joe",
		30000: "account: accounts.id_range: ids 30000 to 30015 are groups (30001 is aad_admins), " +
			"and 30015 is that of the local group docker2",
		50000: "", // somebody has written our groups down
		49999: "account: accounts.id_range: ids 49999 to 50014 are groups (50000 is aad_admins), " +
			"and 50000 is that of the local group aad_users",
		60000: "account: accounts.id_range: ids 60000 to 60015 are groups (60001 is aad_admins), " +
			"and 60001 is that of the local group else",
	} {
		r := testRules()
		r.Low = low
		before := open(t, s).data
		err := s.Update(func(e *Edit) error {
			if err := e.SetRules(r); err != nil {
				return err
			}
			return errors.New("would do")
		})
		var refused *RangeError
		if want == "" {
			if err.Error() != "would do" || s.Fit(r) != nil {
				t.Errorf("%d: %v", low, err)
			}
			continue
		}
		if !errors.As(err, &refused) || err.Error() != want {
			t.Errorf("%d: %v\nwant %s", low, err, want)
			continue
		}
		if err := s.Fit(r); err == nil || err.Error() != want {
			t.Errorf("%d: Fit: %v", low, err)
		}
		r.Low = refused.Free
		if err := s.Fit(r); err != nil || r.Low <= low {
			t.Errorf("%d: at %d there is room? %v", low, r.Low, err)
		}
		if string(open(t, s).data) != string(before) {
			t.Errorf("%d: something was stored", low)
		}
	}
}

// Before there is a store, only local users and groups can have these ids.
func TestRangeOfTheFirstRules(t *testing.T) {
	s := newStore(t)
	s.Etc = etc("joe:x:10001:100:::\n", "")
	r := testRules()
	r.Low = 10000
	if err := s.Fit(r); err == nil {
		t.Error("Fit: joe would be an administrator")
	}
	if err := s.Update(func(e *Edit) error { return e.SetRules(r) }); err == nil {
		t.Error("SetRules: joe would be an administrator")
	}
}

// A store that has such a range already can be read and changed, so that it can be mended.
func TestAccountAmongTheGroups(t *testing.T) {
	s, rules := newStore(t), testRules()
	bob := Account{
		Name: "bob@contoso.com", UPN: "bob@contoso.com", UID: 3197664, Home: "/", Shell: "/bin/sh",
	}
	update(t, s, func(e *Edit) error { return errors.Join(e.SetRules(rules), e.Put(bob)) })
	rules.Low = bob.UID - 1
	update(t, s, func(e *Edit) error { e.rules = rules; return nil }) // as before this was refused
	if err := s.Fit(rules); err == nil {
		t.Fatal("bob is no administrator")
	}
	update(t, s, func(e *Edit) error {
		rules.Shell = "/bin/sh"
		a, err := e.ByName(bob.Name)
		a.Locked = e.now
		return errors.Join(err, e.SetRules(rules), e.Put(a))
	})
	update(t, s, func(e *Edit) error {
		a, err := e.ByName(bob.Name)
		if err != nil || !e.Rules().IsGroup(a.UID) {
			t.Errorf("%+v, %v", a, err)
		}
		_, err = e.Move(a, 5000)
		return err
	})
	if a, err := open(t, s).ByName(bob.Name); err != nil || a.UID != 5000 || a.Locked.IsZero() {
		t.Errorf("%+v, %v", a, err)
	}
	update(t, s, func(e *Edit) error { return e.SetRules(testRules()) })
	if err := s.Fit(testRules()); err != nil {
		t.Error(err)
	}
}
