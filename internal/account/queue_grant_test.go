// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"testing"
	"time"
)

// allowed returns the change of a first sign-in with its authorization.
func allowed(name string) func(*Edit) error {
	return func(e *Edit) error {
		if err := firstSignIn(e, name); err != nil {
			return err
		}
		a, err := e.ByName(name)
		e.Decide(a.UID, Grant{
			TenantID: a.TenantID, ObjectID: a.ObjectID, Moment: Moment{Time: e.now},
		})
		return err
	}
}

// A grant does not stand for an account that the store does not have, nor for one that belongs to
// another object by now, and it replaces no later decision.
func TestGrantsWaitForTheirAccounts(t *testing.T) {
	denied := func(later time.Duration) func(*Edit, Account) error {
		return func(e *Edit, a Account) error {
			e.Decide(a.UID, Grant{
				TenantID: a.TenantID, Denied: a.ObjectID, Moment: Moment{Time: e.now.Add(later)},
			})
			return nil
		}
	}
	put := func(change func(*Account)) func(*Edit, Account) error {
		return func(e *Edit, a Account) error {
			change(&a)
			return e.Put(a)
		}
	}
	for what, test := range map[string]struct {
		then    func(*Edit, Account) error
		granted bool
		refused bool // the one who was granted hears that it is not
	}{
		"nothing else": {func(*Edit, Account) error { return nil }, true, false},
		"denied since": {denied(time.Second), false, false},
		"locked":       {put(func(a *Account) { a.Locked = time.Now() }), false, true},
		"removed":      {put(func(a *Account) { a.Removed = time.Now() }), false, true},
		"another's now": {func(e *Edit, a Account) error {
			return e.Rebind(a, tenant, "another")
		}, false, true},
		"moved": {func(e *Edit, a Account) error {
			_, err := e.Move(a, a.UID+1)
			return err
		}, false, true},
	} {
		s := newStore(t)
		bind(t, s, testRules(), "first@contoso.com")
		var first *Edit
		waiting := staged(t, s, func(e *Edit) error {
			first = e
			return allowed("a@contoso.com")(e)
		})
		q, e := inTurn(t, s)
		a, err := e.ByName("a@contoso.com")
		if err != nil {
			t.Fatal(what, err)
		}
		if _, err := s.LastDecision(a.UID); !errors.Is(err, ErrNoGrant) {
			t.Errorf("%s: before its account: %v", what, err)
		}
		if err := errors.Join(test.then(e, a), q.take(e)); err != nil {
			t.Fatal(what, err)
		}
		q.leave()
		if err := waiting.hear(); err != nil {
			t.Error(what, err)
		}
		waiting.leave()
		if _, err := s.ReadGrant(a.UID); (err == nil) != test.granted {
			t.Errorf("%s: %v", what, err)
		}
		if err := s.keepGrants(first); errors.Is(err, ErrNoGrant) != test.refused {
			t.Errorf("%s: hears %v", what, err)
		}
	}
}

// A denial holds at once and stays, even if its process is killed before the change is written, and
// even if an older grant waits.
func TestDenialIsNotLost(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "first@contoso.com")
	waiting := staged(t, s, allowed("a@contoso.com"))
	killed, e := inTurn(t, s)
	a, err := e.ByName("a@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	e.Decide(a.UID, Grant{
		TenantID: a.TenantID, Denied: a.ObjectID, Moment: Moment{Time: e.now.Add(time.Second)},
	})
	if err := s.writeDenials(e); err != nil {
		t.Fatal(err)
	}
	killed.leave()
	next, e := inTurn(t, s)
	if g, err := e.LastDecision(a.UID); err != nil || g.Denied == "" {
		t.Errorf("who decides next sees %+v, %v", g, err)
	}
	next.leave()
	if err := waiting.hear(); err != nil {
		t.Fatal(err)
	}
	if g, err := s.LastDecision(a.UID); err != nil || g.Denied == "" {
		t.Errorf("%+v, %v", g, err)
	}
}
