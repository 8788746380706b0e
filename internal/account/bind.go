// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
)

// Identity is the person whom a verified token names.
type Identity struct {
	TenantID, ObjectID string
	Name, UPN          string // as Rules.Name made them of the token's name
}

// RenamedError is returned when an account was found under an old name. The account has been
// renamed in place and keeps uid and home. The host still has the entry of the name typed, so the
// person has to connect once more.
type RenamedError struct{ New Account }

func (e *RenamedError) Error() string {
	return fmt.Sprintf("account: renamed to %s; connect again", e.New.Name)
}

// MovedError is returned when the uid that the host looked up before authentication is no longer
// the account's. Nothing is stored: the session would run under an id that is, or will be, another
// account's.
type MovedError struct {
	Name           string
	LookupUID, Now uint32
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("account: %s has id %d, the host took %d; connect again",
		e.Name, e.Now, e.LookupUID)
}

// Bind returns the account of the person who signed in, and stores it at the first sign-in.
// lookupUID is the uid that the host learnt from the name service before authentication. Besides
// the errors above, Bind returns *ConflictError, ErrOtherObject, ErrLocked, ErrRemoved and ErrNoID.
func (e *Edit) Bind(who Identity, lookupUID uint32) (Account, error) {
	if who.ObjectID == "" || who.TenantID == "" {
		return Account{}, fmt.Errorf("account: %s: no object to bind to", who.Name)
	}
	bound, err := e.ByObject(who.TenantID, who.ObjectID)
	switch {
	case err == nil && !bound.Locked.IsZero():
		return Account{}, ErrLocked // before a rename: what is locked is the person
	case err == nil && bound.Name == who.Name:
		return settle(bound, lookupUID)
	case err == nil:
		return e.renamed(bound, who)
	case !errors.Is(err, ErrUnknown):
		return Account{}, err
	}
	held, err := e.ByName(who.Name)
	switch {
	case err == nil && held.ObjectID == "" && !held.Locked.IsZero():
		return Account{}, ErrLocked
	case err == nil && held.ObjectID == "":
		return e.bindTo(held, who, lookupUID) // imported
	case err == nil:
		return Account{}, ErrOtherObject
	case !errors.Is(err, ErrUnknown):
		return Account{}, err
	}
	a, err := e.NewAccount(Name{Account: who.Name, UPN: who.UPN})
	if err != nil {
		return Account{}, err
	}
	return e.bindTo(a, who, lookupUID)
}

// bindTo stores an account that nobody has signed in to yet as the account of who.
func (e *Edit) bindTo(a Account, who Identity, lookupUID uint32) (Account, error) {
	if _, err := settle(a, lookupUID); err != nil {
		return Account{}, err
	}
	if err := e.Conflict(a); err != nil {
		return Account{}, err
	}
	a.TenantID, a.ObjectID, a.UPN = who.TenantID, who.ObjectID, who.UPN
	return e.put(a)
}

func (e *Edit) renamed(a Account, who Identity) (Account, error) {
	a, err := e.Rename(a, Name{Account: who.Name, UPN: who.UPN})
	if err != nil {
		return Account{}, err
	}
	return Account{}, &RenamedError{New: a}
}

// put stores an account and returns it as it is stored.
func (e *Edit) put(a Account) (Account, error) {
	if err := e.Put(a); err != nil {
		return Account{}, err
	}
	return e.ByUID(a.UID)
}

func settle(a Account, lookupUID uint32) (Account, error) {
	if a.UID != lookupUID {
		return Account{}, &MovedError{Name: a.Name, LookupUID: lookupUID, Now: a.UID}
	}
	return a, nil
}
