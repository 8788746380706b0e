// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"strings"

	"aadlogin/internal/shell"
)

// A store can be lost: a disk for /var is gone, or somebody has removed the directory. What it said
// beyond the rules is lost with it, such as an id that an account got since another had its first
// one. The homes still say whose it was.

// A LeftIDError tells that an account would get the id of a home that an account of a lost store
// has left.
type LeftIDError struct {
	Account Account
	Left    Account // whose home it is, by the template, with the id that it had
}

func (e *LeftIDError) Error() string {
	return fmt.Sprintf("account: %s: its id %d is that of home %s, so %s had it",
		e.Account.Name, e.Left.UID, e.Left.Home, e.Left.Name)
}

// Fix says what to do, with the command.
func (e *LeftIDError) Fix() string {
	return "the store of then is lost: put a backup of it back, aadctl store restore FILE; or " +
		"give " + e.Left.Name + " the id again: " + ImportCommand([]Account{e.Left})
}

// ImportCommand is the command line that imports these accounts.
func ImportCommand(all []Account) string {
	lines := make([]string, len(all))
	for i, a := range all {
		line := fmt.Sprintf("%s:*:%d:%d::%s:%s", a.Name, a.UID, a.UID, a.Home, a.Shell)
		lines[i] = "echo " + shell.Word(line)
	}
	return "(" + strings.Join(lines, "; ") + ") | aadctl account import -"
}

// Left returns the accounts that have a home, and are not in the store, though they had an id that
// a first sign-in would not give them: one of them was set by hand, or another account had the
// first id.
func (s *Snapshot) Left(l *Locals) (all []Account, err error) {
	rules := s.Rules()
	for _, a := range l.Homes(rules).Accounts {
		_, err := s.holder(a.Name)
		switch {
		case err != nil && !errors.Is(err, ErrUnknown):
			return nil, err
		case err == nil || a.UID == ID(rules.TenantID, a.UPN, 0, rules.Low, rules.High):
		default:
			all = append(all, a)
		}
	}
	return all, nil
}
