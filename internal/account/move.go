// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
)

// Rename gives an account another name; uid, home and the names it had stay. A name that is or was
// another account's is ErrOtherObject.
func (e *Edit) Rename(a Account, to Name) (Account, error) {
	if uid, err := e.holder(to.Account); err == nil && uid != a.UID {
		return Account{}, ErrOtherObject
	}
	if err := e.readLocals(); err != nil {
		return Account{}, err
	}
	if err := e.locals.NameConflict(a.called(to)); err != nil {
		return Account{}, err
	}
	return e.put(a.called(to))
}

func (a Account) called(n Name) Account {
	if a.Gecos == a.UPN {
		a.Gecos = n.UPN
	}
	a.Name, a.UPN = n.Account, n.UPN
	return a
}

// Swap exchanges the names of two accounts, for when the directory has given each of two people the
// other's name. A name goes from one account to another in no other way, and an administrator
// decides it.
func (e *Edit) Swap(a, b Account) error {
	if a.UID == b.UID {
		return fmt.Errorf("account: %s: cannot be exchanged with itself", a.Name)
	}
	x, y := a.called(Name{b.Name, b.UPN}), b.called(Name{a.Name, a.UPN})
	for _, swapped := range []Account{x, y} {
		if err := swapped.check(); err != nil {
			return err
		}
	}
	// Past Put, which would keep for each the name that the other gets.
	for _, swapped := range []Account{x, y} {
		e.accounts[swapped.UID], e.names[swapped.Name] = swapped, swapped.UID
	}
	return nil
}

// Rebind gives an account to another object of the directory, which must have none. An
// administrator decides that. The authorizations of the former object are dropped.
func (e *Edit) Rebind(a Account, tid, oid string) error {
	if _, err := e.ByObject(tid, oid); !errors.Is(err, ErrUnknown) {
		return fmt.Errorf("account: %s: object %s has an account already", a.Name, oid)
	}
	a.TenantID, a.ObjectID, a.Admin, a.Groups = tid, oid, false, nil
	if err := a.check(); err != nil {
		return err
	}
	// Past Put, which never exchanges an owner.
	e.accounts[a.UID] = a
	e.objects[[2]string{tid, oid}] = a.UID
	return nil
}

// Move gives an account an id that no account has or had. The old id stays taken, because files may
// have it.
func (e *Edit) Move(a Account, uid uint32) (Account, error) {
	had := e.hadBefore(a, uid)
	if _, err := e.ByUID(uid); !errors.Is(err, ErrUnknown) && !had {
		return Account{}, fmt.Errorf("account: %s: id %d is or was that of another account",
			a.Name, uid)
	}
	if problem := e.rules.reservedID(uid); problem != "" {
		return Account{}, fmt.Errorf("account: %s: uid %d is %s", a.Name, uid, problem)
	}
	moved := a
	moved.UID = uid
	if err := e.Conflict(moved); err != nil {
		return Account{}, err
	}
	left := Account{
		Name: a.Name, UPN: a.UPN, UID: a.UID, Gecos: a.Gecos, Home: a.Home, Shell: a.Shell,
		Created: a.Created, Removed: e.now, MovedTo: uid, MovedOf: a.ObjectID,
	}.normal()
	e.accounts[a.UID] = left
	if !had {
		e.added = append(e.added, uid)
	}
	e.accounts[uid] = moved
	for _, name := range a.names() {
		e.names[name] = uid
	}
	if a.ObjectID != "" {
		e.objects[[2]string{a.TenantID, a.ObjectID}] = uid
	}
	return moved, nil
}

// hadBefore reports whether an id was this account's own: it may have it back. An account that has
// been given to another object since may not, because files with that id are the former one's.
func (e *Edit) hadBefore(a Account, uid uint32) bool {
	for range maxMoves {
		left, err := e.ByUID(uid)
		if !errors.Is(err, ErrRemoved) || left.MovedTo == 0 || left.MovedOf != a.ObjectID {
			return false
		}
		if uid = left.MovedTo; uid == a.UID {
			return true
		}
	}
	return false
}

// maxMoves bounds the way from an id to the one that took its place.
const maxMoves = 1000
