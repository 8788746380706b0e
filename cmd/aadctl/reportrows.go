// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/report"
)

// withRows calls do with the accounts to report and, for a single account, with the names that it
// has or had. A store that cannot be read is part of the report.
func (o *options) withRows(how reporting, do func(rows report.Accounts,
	names []string) error) error {
	_, store, err := o.load()
	if err != nil {
		return do(report.Accounts{Problem: explain(err).what}, nil)
	}
	written := false
	err = o.reading("", func(s *account.Snapshot) error {
		written = true
		if how.only != "" {
			rows, names := oneRow(store, s, how.only)
			return do(rows, names)
		}
		return do(allRows(store, s, how.limit), nil)
	})
	if err != nil && !written {
		return do(report.Accounts{Problem: explain(err).what}, nil)
	}
	return err
}

// allRows counts first. It makes each row when it is written.
func allRows(store account.Store, s *account.Snapshot, limit int) report.Accounts {
	total := 0
	for a := range s.All() {
		if a.Removed.IsZero() {
			total++
		}
	}
	shown := min(limit, total)
	return report.Accounts{Total: total, Shown: shown, All: func(yield func(report.Account) bool) {
		left := shown
		for a := range s.All() {
			if a.Removed.IsZero() && left > 0 {
				if left--; !yield(rowOf(store, a)) {
					return
				}
			}
		}
	}}
}

func oneRow(store account.Store, s *account.Snapshot, which string) (rows report.Accounts,
	names []string) {
	a, err := find(s, which)
	if errors.Is(err, account.ErrUnknown) || a.Name == "" {
		return report.Accounts{All: func(func(report.Account) bool) {}},
			[]string{strings.ToLower(which)}
	}
	one := func(yield func(report.Account) bool) { yield(rowOf(store, a)) }
	return report.Accounts{Total: 1, Shown: 1, All: one}, append([]string{a.Name}, a.Former...)
}

func rowOf(store account.Store, a account.Account) report.Account {
	row := report.Account{Name: a.Name, UID: a.UID, State: state(a), Created: a.Created}
	if g, err := store.ReadGrant(a.UID); err == nil {
		row.Last = &report.Authorization{Time: g.Time, Admin: g.Admin, Service: g.Service,
			From: g.RemoteHost, Source: g.Source}
	}
	return row
}
