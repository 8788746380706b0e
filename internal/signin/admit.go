// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"errors"
	"slices"

	"aadlogin/internal/account"
	"aadlogin/internal/rbac"
	"aadlogin/internal/token"
)

// sameAccount makes sure that the account in the browser is the one typed. A name only finds the
// account; the object id decides whose it is (internal/account, Bind).
func (a *attempt) sameAccount(c *token.Claims) (account.Identity, error) {
	signedIn, err := a.rules.FromUPN(c.PreferredUsername)
	if err != nil || signedIn != a.name {
		return a.renamedPerson(c)
	}
	if !c.NameIsVerified() {
		return account.Identity{}, a.unverifiedName(c)
	}
	who := account.Identity{
		TenantID: c.TenantID, ObjectID: c.ObjectID, Name: a.name.Account, UPN: a.name.UPN,
	}
	a.event.object = who.ObjectID
	return who, a.sameObject(who)
}

// sameObject refuses a name that somebody else has here, before Azure is asked about them. Bind
// decides it again, under the lock.
func (a *attempt) sameObject(who account.Identity) error {
	snapshot, err := a.store.Open()
	if errors.Is(err, account.ErrMissing) {
		return nil
	}
	if err != nil {
		return a.notStored(err)
	}
	defer snapshot.Close()
	held, err := snapshot.ByName(who.Name)
	switch {
	case errors.Is(err, account.ErrUnknown):
		return nil
	case err != nil:
		return a.notStored(err)
	case held.ObjectID != "" && (held.TenantID != who.TenantID || held.ObjectID != who.ObjectID):
		return a.notStored(account.ErrOtherObject)
	}
	return nil
}

// admit stores who has been let in, and as what, before anybody is told.
func (a *attempt) admit(who account.Identity, d rbac.Decision, c *cloud) error {
	if !d.Admin && slices.Contains(a.cfg.SignIn.AdminServices, a.Service) {
		return a.deny(who, d, c, a.actions(c).LoginAsAdmin)
	}
	if err := a.stillFree(); err != nil {
		return err
	}
	demoted, late := false, false
	var acct account.Account
	err := a.store.Update(func(e *account.Edit) error {
		if !a.stillConfigured() {
			return errReconfigured
		}
		// The name service must not go by an older configuration than the sign-ins do.
		if err := e.SetRules(a.rules); err != nil {
			return err
		}
		before, _ := e.ByObject(who.TenantID, who.ObjectID)
		bound, err := a.bind(e, who)
		var renamed *account.RenamedError
		if errors.As(err, &renamed) {
			bound = renamed.New // has to connect again, but is already what this check says
		} else if err != nil {
			return err
		}
		now := a.newest(e, bound, d)
		if now.Denied != "" {
			return errOvertaken
		}
		d.Admin = now.Admin
		demoted = bound.Admin && !d.Admin
		bound.Admin = d.Admin
		last, _ := a.lastGrant(e, bound)
		bound.Groups = a.groups(bound, last)
		acct = bound
		late = a.otherGroups(before, bound)
		if err == nil {
			e.Decide(bound.UID, now)
		}
		return cmp.Or(e.Put(bound), err)
	})
	var renamed *account.RenamedError
	switch {
	case errors.As(err, &renamed):
		if demoted {
			a.takenBack(a.store.Withdraw(acct.UID))
		}
		return a.renamed(acct)
	case errors.Is(err, errOvertaken):
		return a.overtaken()
	case errors.Is(err, errReconfigured):
		return a.reconfigured()
	case err != nil && who.Name != a.name.Account:
		return a.notRenamed(who.Name, err)
	case err != nil:
		return a.notStored(err)
	}
	if !d.Admin && slices.Contains(a.cfg.SignIn.AdminServices, a.Service) {
		return a.noRole(c, who.ObjectID, a.actions(c).LoginAsAdmin) // by the later answer
	}
	if late && a.reconnects() {
		return a.groupsChanged()
	}
	return a.stillAdministrator(acct, d, demoted)
}

// deny takes back what an earlier authorization gave, also for a session that is still open: the
// administrators' group and all other groups, the grant that would stand in for Azure, and the
// windows that would stand in for a browser. Then it says why.
func (a *attempt) deny(who account.Identity, d rbac.Decision, c *cloud, action string) error {
	denial := a.noRole(c, who.ObjectID, action)
	var acct account.Account
	denied := false
	err := a.store.Update(func(e *account.Edit) (err error) {
		if acct, err = e.ByObject(who.TenantID, who.ObjectID); err != nil {
			return err
		}
		now := a.newest(e, acct, d)
		denied = now.Denied != ""
		acct.Admin = acct.Admin && now.Admin
		if denied {
			acct.Groups = nil
		}
		e.Decide(acct.UID, now)
		return e.Put(acct)
	})
	if denied {
		err = errors.Join(err, a.store.CloseWindows(acct.UID))
	}
	if !errors.Is(err, account.ErrUnknown) && !errors.Is(err, account.ErrRemoved) {
		a.takenBack(err)
	}
	return denial
}

func (a *attempt) takenBack(err error) {
	if err != nil {
		a.log(LogError, "not-revoked", "error", err.Error())
	}
}

// stillAdministrator refuses a person who is no longer an administrator, outside sshd and login, as
// long as the session they come from has the group: sudo goes by the groups that the session began
// with.
func (a *attempt) stillAdministrator(acct account.Account, d rbac.Decision, demoted bool) error {
	a.event.uid = acct.UID
	if (demoted || a.HoldsAdmins && !d.Admin) && a.Service != "sshd" && a.Service != "login" {
		return a.demoted(acct)
	}
	return nil
}

// lookupUID returns the uid that the host has learnt from the name service for this name.
func (a *attempt) lookupUID(e *account.Edit) uint32 {
	if a.KnownToHost {
		return a.UID
	}
	// A host that asks PAM first and the name service later (pamtester) will find what we are about
	// to store.
	if known, err := e.ByName(a.name.Account); err == nil {
		return known.UID
	}
	first, _ := e.NewAccount(a.name)
	return first.UID
}
