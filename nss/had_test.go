// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"slices"
	"testing"
	"time"

	"aadlogin/internal/account"
)

// changed fills a store with accounts to which everything has happened: renamed, moved twice,
// exchanged, removed, locked, imported.
func changed(e *account.Edit) error {
	names := []string{
		"ann@contoso.com", "bob@contoso.com", "cat@contoso.com", "dan@fabrikam.com",
		"eve@contoso.com",
	}
	accounts := map[string]account.Account{}
	for _, name := range names {
		if err := add(e, name, nil); err != nil {
			return err
		}
		a, err := e.ByName(name)
		if err != nil {
			return err
		}
		accounts[name] = a
	}
	ann, err := e.Rename(accounts["ann@contoso.com"],
		account.Name{Account: "anna@contoso.com", UPN: "anna@contoso.com"})
	if err != nil {
		return err
	}
	for _, uid := range []uint32{5001, 5002} {
		if ann, err = e.Move(ann, uid); err != nil {
			return err
		}
	}
	if err := e.Swap(ann, accounts["bob@contoso.com"]); err != nil {
		return err
	}
	cat, dan := accounts["cat@contoso.com"], accounts["dan@fabrikam.com"]
	cat.Removed, dan.Locked = time.Unix(1795348800, 0), time.Unix(1795348800, 0)
	for _, a := range []account.Account{cat, dan} {
		if err := e.Put(a); err != nil {
			return err
		}
	}
	return e.Put(account.Account{
		Name: "old@contoso.com", UPN: "old@contoso.com", UID: 6000, Gecos: "", Home: "/home/old",
		Shell: "/bin/sh",
	})
}

// Each name that ever was goes with each uid that ever was, and nothing else does. Their relation
// does not matter: after an exchange, a host with an outdated answer has the name of one record
// with the id of the other.
func TestHad(t *testing.T) {
	rules := testRules()
	data, snapshot := build(t, rules, changed)
	first := func(name string) uint32 { return account.ID(tenant, name, 0, rules.Low, rules.High) }
	names := []string{
		"ann@contoso.com", "anna@contoso.com", "bob@contoso.com", "cat@contoso.com",
		"dan@fabrikam.com", "eve@contoso.com", "old@contoso.com",
	}
	uids := []uint32{5001, 5002, 6000}
	for _, name := range names[:1] {
		uids = append(uids, first(name))
	}
	for _, name := range names[2:6] {
		uids = append(uids, first(name))
	}
	possible := append(slices.Clone(names), "new@contoso.com", "ANN@Contoso.COM")
	impossible := []string{
		"", "ann", "ann@other.com", "root", "-x@contoso.com", "ann@contoso.com@contoso.com",
	}
	s := load(t, data)
	for _, uid := range append(slices.Clone(uids), 0, 999, 1000, 5000, 5003, rules.Low,
		first("new@contoso.com"), 1<<32-1) {
		for _, name := range append(slices.Clone(possible), impossible...) {
			want := slices.Contains(uids, uid) && slices.Contains(possible, name)
			if got := s.had(name, uid); got != map[bool]result{true: ok, false: absent}[want] {
				t.Errorf("C: %q with %d: %v, want %v", name, uid, got, want)
			}
			if got, err := snapshot.Had(name, uid); err != nil || got != want {
				t.Errorf("Go: %q with %d: %v, %v, want %v", name, uid, got, err, want)
			}
		}
	}
}

// A short name that was stored while there were short names counts.
func TestHadWithoutShortNames(t *testing.T) {
	rules := testRules()
	rules.ShortNames = true
	data, snapshot := build(t, rules, func(e *account.Edit) error {
		if err := add(e, "ann", nil); err != nil {
			return err
		}
		rules.ShortNames = false
		return e.SetRules(rules)
	})
	uid := account.ID(tenant, "ann@contoso.com", 0, rules.Low, rules.High)
	if got := load(t, data).had("ann", uid); got != ok {
		t.Errorf("C: %v", got)
	}
	if got, err := snapshot.Had("ann", uid); err != nil || !got {
		t.Errorf("Go: %v, %v", got, err)
	}
}
