// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Edit is a store being changed. Its lookups see the changes. It is valid during the function that
// Update calls.
type Edit struct {
	store  Store
	base   *Snapshot // nil when there is no store yet
	now    time.Time
	rules  Rules
	locals *Locals // nil until they are needed

	accounts map[uint32]Account // new and changed
	added    []uint32           // the new ones, in order
	names    map[string]uint32
	objects  map[[2]string]uint32
	decided  []decision
}

func newEdit(s Store, base *Snapshot) *Edit {
	e := &Edit{
		store: s, base: base, now: s.now(),
		accounts: make(map[uint32]Account),
		names:    make(map[string]uint32),
		objects:  make(map[[2]string]uint32),
	}
	if base != nil {
		e.rules = base.rules
	}
	return e
}

// changed reports whether there is anything to write.
func (e *Edit) changed() bool {
	return len(e.accounts) > 0 || e.base == nil || !e.rules.Equal(e.base.rules)
}

// Rules returns the rules that will be stored.
func (e *Edit) Rules() Rules { return e.rules }

// SetRules replaces the rules. Accounts keep their ids, homes and shells. A range whose first ids
// belong to somebody is refused with *RangeError, unless the store has that range already.
func (e *Edit) SetRules(r Rules) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("account: rules: %w", err)
	}
	if e.base == nil || r.Low != e.base.rules.Low {
		if err := e.Fit(r); err != nil {
			return err
		}
	}
	r.laterFlags, r.later = e.rules.laterFlags, e.rules.later
	e.rules = r
	return nil
}

// Conflict refuses names and ids that another account or group of this machine has; see Locals.
// Import, Move, Rename and a first sign-in call it.
func (e *Edit) Conflict(a Account) error {
	if err := e.readLocals(); err != nil {
		return err
	}
	return e.locals.Conflict(a)
}

// Home refuses the home of somebody else; see Locals. A first sign-in calls it before it waits for
// the lock.
func (e *Edit) Home(a Account) error {
	if err := e.readLocals(); err != nil {
		return err
	}
	return e.locals.Home(a)
}

func (e *Edit) readLocals() (err error) {
	if e.locals == nil {
		e.locals, err = e.store.Locals()
	}
	return err
}

// ByName finds the account that has this name now.
func (e *Edit) ByName(name string) (Account, error) { return byName(e, name) }

// ByUID finds the account with this uid.
func (e *Edit) ByUID(uid uint32) (Account, error) {
	a, ok := e.accounts[uid]
	switch {
	case ok && !a.Removed.IsZero():
		return a, ErrRemoved
	case ok:
		return a, nil
	case e.base == nil:
		return Account{}, ErrUnknown
	}
	return e.base.ByUID(uid)
}

// ByObject finds the account that belongs to an object of the directory.
func (e *Edit) ByObject(tid, oid string) (Account, error) {
	if uid, ok := e.objects[[2]string{tid, oid}]; ok {
		return e.ByUID(uid)
	}
	if e.base == nil {
		return Account{}, ErrUnknown
	}
	a, err := e.base.ByObject(tid, oid)
	if err != nil && err != ErrRemoved {
		return Account{}, err
	}
	return e.ByUID(a.UID) // as it is now
}

// NewAccount returns the account that a first sign-in under this name would store.
func (e *Edit) NewAccount(n Name) (Account, error) { return newAccount(e, e.rules, n) }

// Holder finds the account that has or had a name, whatever it is called now.
func (e *Edit) Holder(name string) (Account, error) { return byFormerName(e, name) }

func (e *Edit) holder(name string) (uint32, error) {
	if uid, ok := e.names[name]; ok {
		return uid, nil
	}
	if e.base == nil {
		return 0, ErrUnknown
	}
	return e.base.holder(name)
}

// Put stores an account: a new one, or the one with its uid, changed. A name or an object belongs
// to one account for ever. An account keeps the names that it had before, and Put never changes its
// owner.
func (e *Edit) Put(a Account) error {
	old, err := e.ByUID(a.UID)
	exists := err == nil || err == ErrRemoved
	if !exists && err != ErrUnknown {
		return err
	}
	if a.Created.IsZero() {
		a.Created = e.now
	}
	if exists {
		a.Created, a.later = old.Created, old.later
		a.Former = former(old, a.Name)
	}
	a = a.normal()
	if err := a.check(); err != nil {
		return err
	}
	if exists && old.equal(a) {
		return nil
	}
	if err := e.unique(old, a, exists); err != nil {
		return err
	}
	if !exists {
		e.added = append(e.added, a.UID)
	}
	e.accounts[a.UID] = a
	e.names[a.Name] = a.UID
	if a.ObjectID != "" {
		e.objects[[2]string{a.TenantID, a.ObjectID}] = a.UID
	}
	return nil
}

// unique refuses an account that would take something from another one.
func (e *Edit) unique(old, a Account, exists bool) error {
	switch {
	case !exists && len(a.Former) > 0:
		return fmt.Errorf("account: %s: a new account has no former names", a.Name)
	case !exists && a.ObjectID != "" && !e.rules.allocatable(a.UID):
		return fmt.Errorf("account: %s: id %d is outside the id range", a.Name, a.UID)
	case !exists && e.rules.IsGroup(a.UID):
		return fmt.Errorf("account: %s: id %d is a group's", a.Name, a.UID)
	case exists && old.ObjectID != "" && (a.TenantID != old.TenantID || a.ObjectID != old.ObjectID):
		return fmt.Errorf("account: %s: %w", a.Name, ErrOtherObject)
	}
	switch uid, err := e.holder(a.Name); {
	case err == nil && uid != a.UID:
		return fmt.Errorf("account: %s: the name is or was that of account %d", a.Name, uid)
	case err != nil && !errors.Is(err, ErrUnknown):
		return err
	}
	if a.ObjectID == "" {
		return nil
	}
	switch other, err := e.ByObject(a.TenantID, a.ObjectID); {
	case (err == nil || err == ErrRemoved) && other.UID != a.UID:
		return fmt.Errorf("account: %s: the object belongs to %s", a.Name, other.Name)
	case err != nil && err != ErrRemoved && err != ErrUnknown:
		return err
	}
	return nil
}

// former returns the names that an account had before, once its name is name.
func former(old Account, name string) []string {
	had := slices.Clone(old.Former)
	if old.Name != name {
		had = append(had, old.Name)
	}
	return slices.DeleteFunc(had, func(s string) bool { return s == name })
}

// Import stores accounts that have an id already, all of them or none. An account that is there as
// it should be is left alone.
func (e *Edit) Import(accounts []Account) error {
	for _, a := range accounts {
		old, err := e.ByName(a.Name)
		if err == nil && old.UID == a.UID {
			continue
		}
		if _, err := e.ByUID(a.UID); err != ErrUnknown {
			return fmt.Errorf("account: %s: id %d is that of another account", a.Name, a.UID)
		}
		if err := e.Conflict(a); err != nil {
			return err
		}
		if err := e.Put(a); err != nil {
			return err
		}
	}
	return nil
}
