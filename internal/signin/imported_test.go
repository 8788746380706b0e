// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"testing"

	"aadlogin/internal/account"
)

// imported returns an account that an administrator imported: nobody has signed in to it, and its
// id is not the first that its name yields.
func (m *machine) imported(name string) account.Account {
	a := m.person(name, "")
	a.TenantID, a.UID = "", 54321
	return a
}

// An imported account belongs to the first person who signs in to it. The host has its id already.
func TestImportedAccount(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.imported(user))
	req := m.request(user)
	req.KnownToHost, req.UID = true, 54321
	req.StoreInode, req.StoreModified = m.store.Stamp()
	got, conv := m.signIn(req, user)
	ended(t, got, conv, Success, "", `uid="54321"`)
	if a := m.stored(user); a.UID != 54321 || a.ObjectID != userOID {
		t.Errorf("stored %+v", a)
	}
}

// The host looked up the id that the name would have had. Meanwhile the account was created with
// another id.
func TestMovedMeanwhile(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.imported(user))
	req := m.request(user)
	req.KnownToHost, req.UID = true, m.firstID(user)
	got, conv := m.signIn(req, user)
	ended(t, got, conv, Denied, "changed while you were connecting", "stale-lookup")
	if a := m.stored(user); a.ObjectID != "" {
		t.Errorf("bound: %+v", a)
	}
	if _, err := m.grant(54321); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
}

// The name belongs to an object that is not the one in the browser: the name of a deleted person
// was given to somebody new.
func TestNameOfAnother(t *testing.T) {
	m := newMachine(t, "")
	owner := m.person(user, stranger)
	m.put(owner)
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Denied, "belongs to somebody else", "name-of-another")
	if n := m.requests("checkaccess"); n != 0 {
		t.Errorf("Azure was asked %d times", n)
	}
	if a := m.stored(user); a.ObjectID != stranger {
		t.Errorf("stored %+v", a)
	}
	if _, err := m.grant(owner.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
}
