// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import "errors"

// accountRecords is a snapshot, or a snapshot with changes on top.
type accountRecords interface {
	ByUID(uint32) (Account, error)
	holder(name string) (uint32, error)
}

// byName follows a name to the account that has it now. An account that only had the name is not
// found.
func byName(s accountRecords, name string) (Account, error) {
	a, err := byFormerName(s, name)
	if (err == nil || err == ErrRemoved) && a.Name != name {
		return Account{}, ErrUnknown
	}
	return a, err
}

func byFormerName(s accountRecords, name string) (Account, error) {
	uid, err := s.holder(name)
	if err != nil {
		return Account{}, err
	}
	return s.ByUID(uid)
}

// newAccount makes the account of a name that nobody has had. nss/preauth.c does the same from the
// same file, so that sshd is told the ids that the sign-in will store.
func newAccount(s accountRecords, r Rules, n Name) (Account, error) {
	switch _, err := s.holder(n.Account); {
	case err == nil:
		return Account{}, ErrOtherObject
	case !errors.Is(err, ErrUnknown):
		return Account{}, err
	}
	for k := range attempts {
		id := ID(r.TenantID, n.UPN, k, r.Low, r.High)
		switch _, err := s.ByUID(id); {
		case errors.Is(err, ErrUnknown):
			return r.account(n, id), nil
		case err != nil && !errors.Is(err, ErrRemoved):
			return Account{}, err
		}
	}
	return Account{}, ErrNoID
}

// First returns the account that a first sign-in would store if there were no others.
func (r Rules) First(n Name) Account {
	return r.account(n, ID(r.TenantID, n.UPN, 0, r.Low, r.High))
}

func (r Rules) account(n Name, id uint32) Account {
	return Account{Name: n.Account, UPN: n.UPN, UID: id, Gecos: n.UPN,
		Home: expand(r.Home, n), Shell: r.Shell}
}
