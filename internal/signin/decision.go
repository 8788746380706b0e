// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"errors"

	"aadlogin/internal/account"
	"aadlogin/internal/rbac"
)

// Two attempts of one account may run side by side, and their answers arrive in any order. The
// answer to the question that was asked last holds: a slow yes must not bring back what a no has
// taken since.

// errOvertaken is returned if Azure has said no to a question that was asked after ours.
var errOvertaken = errors.New("signin: denied meanwhile")

// newest returns what is to be stored about an account: d, which is the answer to this attempt's
// question, or the answer to a later question that has come already. It keeps the time of the last
// sign-in with a browser.
func (a *attempt) newest(e *account.Edit, acct account.Account, d rbac.Decision) account.Grant {
	now := a.decision(acct, d)
	last, err := e.LastDecision(acct.UID)
	if err != nil || last.TenantID != acct.TenantID ||
		cmp.Or(last.ObjectID, last.Denied) != acct.ObjectID {
		last = account.Grant{}
	}
	if last.After(now.Moment) {
		now = last
	}
	if last.ConfigDigest == now.ConfigDigest {
		now.Browser = last.Browser
	}
	if browser := account.Moment(a.browser); a.claims != nil && browser.After(now.Browser) {
		now.Browser = browser
	}
	return now
}

// decision returns Azure's answer as it is stored.
func (a *attempt) decision(acct account.Account, d rbac.Decision) account.Grant {
	g := account.Grant{
		TenantID:     acct.TenantID,
		ObjectID:     acct.ObjectID,
		ConfigDigest: ConfigDigest(a.cfg),
		Admin:        d.Admin,
		Source:       a.cfg.Authorization.Source,
		Scope:        d.Scope,
		Service:      a.Service,
		RemoteHost:   a.RemoteHost,
		Moment:       account.Moment(a.asked),
	}
	if !d.Login {
		g.ObjectID, g.Denied = "", acct.ObjectID
	}
	return g
}

// deniedSince reports whether the account was denied after this attempt asked, which may have been
// before a window was kept that would be open.
func (a *attempt) deniedSince(uid uint32) bool {
	last, err := a.store.LastDecision(uid)
	return err == nil && last.Denied != "" && last.After(account.Moment(a.asked))
}

func (a *attempt) overtaken() error {
	return a.refuse(Denied,
		"Azure has said no to a later question about this account. Connect again to ask once more.",
		"overtaken")
}
