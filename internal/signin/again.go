// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"slices"

	"aadlogin/internal/account"
	"aadlogin/internal/azure"
)

// authorizeAgain is the account phase without our authentication: a public key, cron, sudo with NOPASSWD. There is nobody to
// ask, so the stored object id is authorized with the machine's own identity.
func (a *attempt) authorizeAgain(ctx context.Context) error {
	if err := a.configure(); err != nil {
		return err
	}
	if err := a.checkName(); err != nil {
		return err
	}
	a.door.Deadline(accountTimeout + slack)
	acct, err := a.storedAccount()
	if err != nil {
		return err
	}
	a.found.uid, a.found.object = acct.UID, acct.ObjectID
	if !a.cfg.Authorization.AsksAlone() {
		return a.byLastGrant(acct)
	}
	return a.orLastGrant(acct, a.authorizeStored(ctx, acct))
}

// authorizeStored asks Azure about an account that needs no browser, and admits or denies it.
func (a *attempt) authorizeStored(ctx context.Context, acct account.Account) error {
	ctx, cancel := context.WithTimeout(ctx, accountTimeout)
	defer cancel()
	who := account.Identity{TenantID: acct.TenantID, ObjectID: acct.ObjectID, Name: acct.Name, UPN: acct.UPN}
	cloud, err := a.reachAzure(ctx)
	if err != nil {
		return err
	}
	decision, err := a.authorize(ctx, cloud, person{objectID: acct.ObjectID})
	if err != nil {
		return a.cannotAsk(err)
	}
	a.found.decided(a.cfg.Authorization.Source, decision)
	if !decision.Login {
		return a.deny(who, decision, cloud, a.actions(cloud).Login)
	}
	return a.admit(who, decision, cloud)
}

// storedAccount is the account as its last sign-in left it.
func (a *attempt) storedAccount() (account.Account, error) {
	snapshot, err := a.store.Open()
	if err != nil {
		return account.Account{}, a.notStored(err)
	}
	defer snapshot.Close()
	acct, err := snapshot.ByName(a.name.Account)
	switch {
	case errors.Is(err, account.ErrUnknown), err == nil && acct.ObjectID == "":
		return account.Account{}, a.refuse(Denied, "This account has never signed in here with a browser, so nobody can tell whose it is. "+
			"Sign in once without a key.", "never-signed-in")
	case err != nil:
		return account.Account{}, a.notStored(err)
	case acct.TenantID != a.cfg.TenantID:
		return account.Account{}, a.otherTenant(acct)
	case a.KnownToHost && a.UID != acct.UID:
		return account.Account{}, a.moved() // the session would not run under the account's id
	}
	return acct, nil
}

// orLastGrant lets the last grant stand in for an Azure that cannot be asked, for as long as the configuration says (0s: not
// at all). A refusal is an answer, also Azure's refusal to let this machine ask.
func (a *attempt) orLastGrant(acct account.Account, unreachable error) error {
	if !errors.Is(unreachable, azure.ErrUnreachable) || azure.Throttled(unreachable) && a.needsAdministrator() {
		return unreachable
	}
	return a.letInByLastGrant(acct, unreachable)
}

func (a *attempt) letInByLastGrant(acct account.Account, otherwise error) error {
	if a.cfg.Authorization.GrantLifetime == 0 {
		return otherwise
	}
	grant, err := a.lastGrant(acct)
	if err != nil || !a.standsIn(grant, acct) {
		return otherwise
	}
	if err := a.keepGroups(acct, grant); err != nil {
		return a.notStored(err)
	}
	a.found.byGrant(grant, acct.Admin, errors.Unwrap(otherwise))
	return nil
}

// lastGrant is that of this very account, if it was given under the configuration of today: one of another tenant, application
// or machine says nothing about this one. A grant without a digest is of nobody knows what.
func (a *attempt) lastGrant(acct account.Account) (account.Grant, error) {
	grant, err := a.store.ReadGrant(acct.UID)
	if err != nil || grant.TenantID != acct.TenantID || grant.ObjectID != acct.ObjectID || grant.Rules != Voucher(a.cfg) {
		return account.Grant{}, account.ErrNoGrant
	}
	return grant, nil
}

// standsIn: given not long ago, and for as much as this service, or the session's groups, ask. An administrator is one by the
// grant and by the store: a check since may have said less.
func (a *attempt) standsIn(grant account.Grant, acct account.Account) bool {
	administrator := grant.Admin && acct.Admin
	return moment(grant.Moment).within(a.cfg.Authorization.GrantLifetime, a.moment()) && (administrator || !a.needsAdministrator())
}

func (a *attempt) needsAdministrator() bool {
	return a.HoldsAdmins || slices.Contains(a.cfg.SignIn.AdminServices, a.Service)
}
