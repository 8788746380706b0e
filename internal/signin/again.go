// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"

	"aadlogin/internal/account"
)

// authorizeAgain is the account phase without our authentication: a public key, cron, sudo with
// NOPASSWD. There is nobody to ask, so the stored object id is authorized with the machine's own
// identity.
func (a *attempt) authorizeAgain(ctx context.Context) error {
	if err := a.configure(); err != nil {
		return err
	}
	if err := a.checkName(); err != nil {
		return err
	}
	a.conv.Deadline(accountTimeout + slack)
	acct, err := a.storedAccount()
	if err != nil {
		return err
	}
	a.event.uid, a.event.object = acct.UID, acct.ObjectID
	if !a.cfg.Authorization.AsksAsMachine() {
		return a.byLastGrant(acct)
	}
	return a.orLastGrant(acct, a.authorizeStored(ctx, acct))
}

// authorizeStored asks Azure about an account that needs no browser, and admits or denies it.
func (a *attempt) authorizeStored(ctx context.Context, acct account.Account) error {
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	who := account.Identity{
		TenantID: acct.TenantID, ObjectID: acct.ObjectID, Name: acct.Name, UPN: acct.UPN,
	}
	cloud, err := a.reachAzure(ctx)
	if err != nil {
		return err
	}
	decision, err := a.authorize(ctx, cloud, person{objectID: acct.ObjectID})
	if err != nil {
		return a.cannotAsk(cloud.resource, err)
	}
	a.event.decided(a.cfg.Authorization.Source, decision)
	if !decision.Login {
		return a.deny(who, decision, cloud, a.actions(cloud).Login)
	}
	return a.admit(who, decision, cloud)
}

// storedAccount returns the account as its last sign-in left it.
func (a *attempt) storedAccount() (account.Account, error) {
	snapshot, err := a.store.Open()
	if err != nil {
		return account.Account{}, a.notStored(err)
	}
	defer snapshot.Close()
	acct, err := snapshot.ByName(a.name.Account)
	switch {
	case errors.Is(err, account.ErrUnknown), err == nil && acct.ObjectID == "":
		return account.Account{}, a.refuse(Denied,
			"This account has never signed in here with a browser, so nobody can tell whose it is. "+
				"Sign in once without a key.",
			"never-signed-in")
	case err != nil:
		return account.Account{}, a.notStored(err)
	case acct.TenantID != a.cfg.TenantID:
		return account.Account{}, a.otherTenant(acct)
	case a.KnownToHost && a.UID != acct.UID:
		return account.Account{}, a.moved() // the session would not run under the account's id
	}
	return acct, nil
}
