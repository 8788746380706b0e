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

// orLastGrant lets the last grant stand in for an Azure that cannot be asked, for as long as the configuration says (0s: not
// at all). A refusal is an answer, also Azure's refusal to let this machine ask; and what this machine lacks is no outage, since
// whoever is to lose a role can use it up.
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
	if err := a.keepByGrant(acct, grant, as); err != nil {
		return a.notStored(err)
	}
	if acct.Admin && as != administrator && a.reconnects() {
		return a.groupsChanged()
	}
	a.event.byGrant(grant, as == administrator, errors.Unwrap(otherwise))
	return nil
}

// lastGrant is that of this very account, if it was given under the configuration of today: one of another tenant, application
// or machine says nothing about this one. A grant without a digest is of nobody knows what.
func (a *attempt) lastGrant(in grants, acct account.Account) (account.Grant, error) {
	grant, err := in.ReadGrant(acct.UID)
	if err != nil || grant.TenantID != acct.TenantID || grant.ObjectID != acct.ObjectID || grant.ConfigDigest != ConfigDigest(a.cfg) {
		return account.Grant{}, account.ErrNoGrant
	}
	return grant, nil
}

// grants are the store's, or those that a change of it sees.
type grants interface {
	ReadGrant(uid uint32) (account.Grant, error)
}

// A standing is as what the last grant lets somebody in.
type standing int

const (
	nobody standing = iota
	plainUser
	administrator
)

// standsInFor decides that. Administrator rights are only where the configuration says so, or in the moment after the sign-in
// that gave them. Everybody else comes in without aad_admins, where that is possible: the host must ask for the groups later.
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

// groupsLater are the PAM services whose programs ask for the groups of a session after the account phase, so that they see what
// it has stored. systemd asks before, but for nobody's sudo: a session that has aad_admins has sudo ask for more than a grant.
var groupsLater = []string{"sshd", "login", "remote", "su", "su-l", "cron", "crond", "atd", userManager}

// userManager is the PAM service of "systemd --user".
const userManager = "systemd-user"

// besideLogin: the user manager starts in the session phase of a login, before that has got its groups. It must not take from it
// what the login was granted a moment ago.
func (a *attempt) besideLogin(grant account.Grant) bool {
	return a.Service == userManager && !a.HoldsAdmins && moment(grant.Moment).within(time.Minute, a.moment())
}

// keepByGrant stores what somebody has who is let in by this grant alone.
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
