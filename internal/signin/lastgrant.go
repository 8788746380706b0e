// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"slices"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/azure"
)

// orLastGrant lets the last grant stand in for an Azure that cannot be asked, for as long as the
// configuration says (0s: not at all). A refusal is an answer, also Azure's refusal to let this
// machine ask. A lack of resources on this machine is no outage, because a person who is to lose a
// role can cause it.
func (a *attempt) orLastGrant(acct account.Account, failed error) error {
	if !azure.Outage(failed) {
		return failed
	}
	return a.letInByLastGrant(acct, failed)
}

func (a *attempt) letInByLastGrant(acct account.Account, otherwise error) error {
	if a.cfg.Authorization.GrantLifetime == 0 {
		return otherwise
	}
	grant, err := a.lastGrant(a.store, acct)
	if err != nil || !moment(grant.Moment).within(a.cfg.Authorization.GrantLifetime, a.moment()) {
		return otherwise
	}
	as := a.standsInFor(grant, acct)
	if as == nobody {
		a.event.notForAdministrators()
		return otherwise
	}
	if !a.stillConfigured() {
		return a.reconfigured()
	}
	if err := a.keepByGrant(acct, grant, as); err != nil {
		return a.notStored(err)
	}
	if acct.Admin && as != administrator && a.reconnects() {
		return a.groupsChanged()
	}
	a.event.byGrant(grant, as == administrator, errors.Unwrap(otherwise))
	return nil
}

// lastGrant returns the grant of this very account if it was stored under today's configuration. A
// grant for another tenant, application or machine says nothing about this one, and a grant without
// a digest may be for any.
func (a *attempt) lastGrant(in grants, acct account.Account) (account.Grant, error) {
	grant, err := in.ReadGrant(acct.UID)
	if err != nil || grant.TenantID != acct.TenantID || grant.ObjectID != acct.ObjectID ||
		grant.ConfigDigest != ConfigDigest(a.cfg) {
		return account.Grant{}, account.ErrNoGrant
	}
	return grant, nil
}

// grants are the store's, or those that a change of the store sees.
type grants interface {
	ReadGrant(uid uint32) (account.Grant, error)
}

// A standing says as what the last grant lets somebody in.
type standing int

const (
	nobody standing = iota
	plainUser
	administrator
)

// standsInFor decides as what the grant lets the account in. It gives administrator rights only if
// the configuration says so, or in the moment after the sign-in that gave them. Otherwise it lets
// people in without aad_admins where that is possible: the host must ask for the groups later.
func (a *attempt) standsInFor(grant account.Grant, acct account.Account) standing {
	// An administrator is one by the grant and by the store: a check since may have said less.
	admin := grant.Admin && acct.Admin
	switch {
	case admin && (a.cfg.Authorization.GrantCoversAdministrators || a.besideLogin(grant)):
		return administrator
	case a.needsAdministrator(), acct.Admin && !slices.Contains(groupsLater, a.Service):
		return nobody
	default:
		return plainUser
	}
}

func (a *attempt) needsAdministrator() bool {
	return a.HoldsAdmins || slices.Contains(a.cfg.SignIn.AdminServices, a.Service)
}

// groupsLater are the PAM services whose programs ask for the groups of a session after the account
// phase, so that they see what that phase has stored. systemd asks before, but not for sudo: in a
// session with aad_admins, sudo needs more than a grant.
var groupsLater = []string{
	"sshd", "login", "remote", "su", "su-l", "cron", "crond", "atd", userManager,
}

// userManager is the PAM service of "systemd --user".
const userManager = "systemd-user"

// besideLogin reports whether this is the user manager of a new login. It starts in the session
// phase of the login, before the login has got its groups, and must not take from it what was
// granted a moment ago.
func (a *attempt) besideLogin(grant account.Grant) bool {
	return a.Service == userManager && !a.HoldsAdmins &&
		moment(grant.Moment).within(time.Minute, a.moment())
}

// keepByGrant stores the groups and rights of somebody who is let in by this grant alone.
func (a *attempt) keepByGrant(acct account.Account, grant account.Grant, as standing) error {
	if len(acct.Groups) == 0 && acct.Admin == (as == administrator) {
		return nil // a store that cannot be written keeps nobody out who has nothing to lose
	}
	return a.store.Update(func(e *account.Edit) error {
		stored, err := e.ByUID(acct.UID)
		if err != nil {
			return err
		}
		stored.Admin = stored.Admin && as == administrator
		stored.Groups = a.groups(stored, grant)
		return e.Put(stored)
	})
}
