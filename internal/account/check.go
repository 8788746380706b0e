// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"fmt"
)

// Check reads the whole store. It makes sure that the database is sound, that every account can be
// read and has all of its records, and that there is nothing else but what a later version has
// added.
func (s *Snapshot) Check() error {
	if err := s.db.Check(); err != nil {
		return s.store.damaged("is damaged: " + err.Error())
	}
	owner, expect := "rules", []string{"r"}
	var account Account
	var admins []string
	for key, value := range s.known() {
		if len(key) == 0 {
			return s.store.damaged("is damaged: a record without key")
		}
		if key[0] == 'u' || key[0] == 'g' {
			if len(expect) > 0 {
				problem := fmt.Sprintf("is damaged: %s: no record %q", owner, expect[0])
				return s.store.damaged(problem)
			}
			var err error
			if account, err = s.begin(key, value); err != nil {
				return err
			}
			owner, expect = string(key), expected(key, account)
			if account.Admin && account.Removed.IsZero() {
				admins = append(admins, account.Name)
			}
		}
		if len(expect) == 0 || string(key) != expect[0] || !s.belongs(key, value, account, admins) {
			return s.store.damaged(fmt.Sprintf("is damaged: record %q", key))
		}
		expect = expect[1:]
	}
	if owner != "g"+AdminsGroup || len(expect) > 0 {
		return s.store.damaged("is damaged: no members of " + AdminsGroup)
	}
	return nil
}

// begin reads the account that a "u" record starts.
func (s *Snapshot) begin(key, value []byte) (Account, error) {
	if key[0] == 'g' {
		return Account{}, nil
	}
	uid, ok := parseKey(string(key[1:]))
	if !ok {
		return Account{}, s.store.damaged(fmt.Sprintf("is damaged: record %q", key))
	}
	return s.join(uid, value)
}

// expected returns the keys that follow a "u" or "g" record, that record's own key first.
func expected(key []byte, a Account) []string {
	if key[0] == 'g' {
		return []string{"g" + AdminsGroup}
	}
	return keys(a)
}

// belongs checks the records that join does not read. The name service relies on each copy of an
// entry, so each must be what would be written.
func (s *Snapshot) belongs(key, value []byte, a Account, admins []string) bool {
	switch key[0] {
	case 'u':
		return bytes.Equal(value, entry(a, a.Name, s.rules.Low))
	case 'n':
		return bytes.Equal(value, entry(a, string(key[1:]), s.rules.Low))
	case 'o':
		return bytes.Equal(value, uidKey("", a.UID))
	case 'g':
		later, err := membersSections(value)
		return err == nil && bytes.Equal(value, later.append(members(admins)))
	case 'r', 'a':
		return true
	}
	return false
}
