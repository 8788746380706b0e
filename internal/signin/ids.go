// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"strings"

	"aadlogin/internal/account"
)

// rulesInForce takes the rules of the store if the configuration's rules would make a group of
// somebody's id, at worst the administrators' group. Nothing applies such a configuration, and the
// name service goes by the store as well.
func (a *attempt) rulesInForce() {
	snapshot, err := a.store.Open()
	if err != nil {
		return // who needs the store says so
	}
	defer snapshot.Close()
	var refused *account.RangeError
	if err := a.fit(snapshot); !errors.As(err, &refused) {
		return
	}
	a.log(LogError, "rules-not-applied", "problem", plain(refused),
		"fix", refused.Fix()+", and run: aadctl config apply")
	if snapshot.Rules().Low != a.rules.Low {
		a.rules = snapshot.Rules()
	}
}

// fit refuses rules that make a group of somebody's id.
func (a *attempt) fit(s *account.Snapshot) error {
	locals, err := a.locals()
	if err != nil {
		return err
	}
	return s.Fit(a.rules, locals)
}

// locals reads who else is on this machine, once for all checks before the browser.
func (a *attempt) locals() (*account.Locals, error) {
	if a.others == nil {
		others, err := a.store.Locals()
		if err != nil {
			return nil, err
		}
		a.others = others
	}
	return a.others, nil
}

// free refuses an account that nobody has signed in to yet, if somebody else on this machine has
// its id, name or home. It is called before there is a code, and again when the browser is done.
func (a *attempt) free(acct account.Account) error {
	a.first = &acct
	locals, err := a.locals()
	if err == nil {
		err = locals.Conflict(acct)
	}
	if err == nil {
		err = locals.Home(acct)
	}
	if err != nil {
		return a.notStored(err)
	}
	return nil
}

// unclaimed is free for an account that is not stored yet: nor is its id that of somebody whom a
// lost store had.
func (a *attempt) unclaimed(acct account.Account) error {
	if err := a.free(acct); err != nil {
		return err
	}
	locals, err := a.locals()
	if err == nil {
		a.homes = locals.Homes(a.rules)
		err = a.homes.Unclaimed(acct)
	}
	if err != nil {
		return a.notStored(err)
	}
	return nil
}

// stillFree calls free for the second time: somebody may have been added meanwhile. Whose homes
// there are, bind asks when the id is certain: another person may have got the first one and made a
// home since.
func (a *attempt) stillFree() error {
	a.others = nil
	if a.first == nil {
		return nil
	}
	return a.free(*a.first)
}

// bind binds the person's account. It asks again about the homes under the store's lock: one may
// have come, or a new account may have got another id, because the first one is taken by now.
func (a *attempt) bind(e *account.Edit, who account.Identity) (account.Account, error) {
	_, err := e.Holder(who.Name)
	isNew := errors.Is(err, account.ErrUnknown)
	bound, err := e.Bind(who, a.lookupUID(e))
	if err == nil && isNew {
		err = a.unclaimedNow(bound)
	}
	return bound, err
}

// unclaimedNow looks for the first time where the account was stored when the sign-in began: the
// store of then is lost.
func (a *attempt) unclaimedNow(acct account.Account) error {
	if a.homes == nil {
		locals, err := a.locals()
		if err != nil {
			return err
		}
		a.homes = locals.Homes(a.rules)
	}
	return a.homes.UnclaimedNow(acct)
}

// plain returns the text of an error of package account without the package's name.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "account: ") }
