// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"fmt"
)

// Check reads the whole store: the database is sound, every account can be
// read and comes with all of its records, and nothing else is there.
func (s *Snapshot) Check() error {
	if err := s.db.Check(); err != nil {
		return s.store.damaged("is damaged: " + err.Error())
	}
	owner, expect := "rules", []string{"r"}
	var admins []string
	for key, value := range s.db.All() {
		if len(key) == 0 {
			return s.store.damaged("is damaged: a record without key")
		}
		if key[0] == 'u' || key[0] == 'g' {
			if len(expect) > 0 {
				return s.store.damaged(fmt.Sprintf("is damaged: %s: no record %q", owner, expect[0]))
			}
			a, err := s.begin(key, value)
			if err != nil {
				return err
			}
			owner, expect = string(key), expected(key, a)
			if a.Admin && a.Removed.IsZero() {
				admins = append(admins, a.Name)
			}
		}
		if len(expect) == 0 || string(key) != expect[0] || !s.belongs(key, value, owner, admins) {
			return s.store.damaged(fmt.Sprintf("is damaged: record %q", key))
		}
		expect = expect[1:]
	}
	if owner != "g"+AdminsGroup || len(expect) > 0 {
		return s.store.damaged("is damaged: no members of " + AdminsGroup)
	}
	return nil
}

// begin reads the account that a "u" record begins.
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

// expected are the keys that follow, the first of them key.
func expected(key []byte, a Account) []string {
	if key[0] == 'g' {
		return []string{"g" + AdminsGroup}
	}
	return keys(a)
}

// belongs looks into the records that join does not read.
func (s *Snapshot) belongs(key, value []byte, owner string, admins []string) bool {
	switch key[0] {
	case 'n':
		p, err := parseEntry(value)
		return err == nil && p.name == string(key[1:]) && string(uidKey("u", p.uid)) == owner
	case 'o':
		return "u"+string(value) == owner
	case 'g':
		return bytes.Equal(value, members(admins))
	case 'r', 'u', 'a':
		return true
	}
	return false
}
