// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"iter"

	"aadlogin/internal/cdb"
)

// Snapshot is the store at one moment. Lookups return ErrUnknown, ErrRemoved together with the
// removed account, or *DamagedError.
type Snapshot struct {
	store Store
	data  []byte
	db    *cdb.Reader
	rules Rules

	waiting []byte // changes on top of it, for lookups
}

// read takes over data.
func (s Store) read(data []byte) (*Snapshot, error) {
	db, err := cdb.New(data)
	if err != nil {
		return nil, s.damaged("is damaged: " + err.Error())
	}
	record, err := db.Get([]byte("r"))
	if err != nil {
		return nil, s.damaged("is damaged: " + err.Error())
	}
	rules, format, err := parseRules(record)
	if format != 0 && format != Format {
		return nil, &VersionError{s.file(), int(format)}
	}
	if err != nil {
		return nil, s.damaged("is damaged: rules: " + err.Error())
	}
	return &Snapshot{store: s, data: data, db: db, rules: rules}, nil
}

// Close releases the file. Accounts that lookups returned stay valid.
func (s *Snapshot) Close() error {
	unmap(s.data)
	s.data, s.db = nil, nil
	return nil
}

// Rules returns the rules that the name service goes by.
func (s *Snapshot) Rules() Rules { return s.rules }

// ByName finds the account that has this name now.
func (s *Snapshot) ByName(name string) (Account, error) { return byName(s, name) }

// ByUID finds the account with this uid.
func (s *Snapshot) ByUID(uid uint32) (Account, error) {
	key := uidKey("u", uid)
	record, err := s.get(key)
	if err != nil {
		return Account{}, err
	}
	a, err := s.join(uid, record)
	if err == nil && !a.Removed.IsZero() {
		err = ErrRemoved
	}
	return a, err
}

// join makes an account of its "u" record and of its "a" record, which it fetches.
func (s *Snapshot) join(uid uint32, record []byte) (Account, error) {
	rest, err := s.get(uidKey("a", uid))
	if err != nil && err != ErrUnknown {
		return Account{}, err
	}
	a, err := parseAccount(record, rest)
	if err != nil || a.UID != uid {
		return Account{}, s.store.damaged(fmt.Sprintf("is damaged: account %d", uid))
	}
	return a, nil
}

// ByObject finds the account that belongs to an object of the directory.
func (s *Snapshot) ByObject(tid, oid string) (Account, error) {
	value, err := s.get(objectKey(tid, oid))
	if err != nil {
		return Account{}, err
	}
	uid, ok := parseKey(string(value))
	if !ok {
		return Account{}, s.store.damaged("is damaged: object " + oid)
	}
	a, err := s.ByUID(uid)
	if err == ErrUnknown || err == nil && (a.TenantID != tid || a.ObjectID != oid) {
		return Account{}, s.store.damaged("is damaged: object " + oid)
	}
	return a, err
}

// All yields every account, also removed ones, in the order in which they were added. It stops at
// damage: call Check before where that matters.
func (s *Snapshot) All() iter.Seq[Account] {
	return func(yield func(Account) bool) {
		for key, value := range s.db.All() {
			if len(key) == 0 || key[0] != 'u' {
				continue
			}
			uid, _ := parseKey(string(key[1:]))
			a, err := s.join(uid, value)
			if err != nil || !yield(a) {
				return
			}
		}
	}
}

// NewAccount returns the account that a first sign-in under this name would store. The name service
// tells sshd the same before that sign-in.
func (s *Snapshot) NewAccount(n Name) (Account, error) { return newAccount(s, s.rules, n) }

// Holder finds the account that has or had a name, whatever it is called now.
func (s *Snapshot) Holder(name string) (Account, error) { return byFormerName(s, name) }

// holder returns the uid of the account that has or had a name.
func (s *Snapshot) holder(name string) (uint32, error) {
	value, err := s.get([]byte("n" + name))
	if err != nil {
		return 0, err
	}
	p, err := parseEntry(value)
	if err != nil || p.name != name {
		return 0, s.store.damaged(fmt.Sprintf("is damaged: name %q", name))
	}
	return p.uid, nil
}

func (s *Snapshot) get(key []byte) ([]byte, error) {
	if value := newest(s.waiting, key); value != nil {
		return value, nil
	}
	value, err := s.db.Get(key)
	switch {
	case err != nil:
		return nil, s.store.damaged("is damaged: " + err.Error())
	case value == nil:
		return nil, ErrUnknown
	}
	return value, nil
}
