// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"aadlogin/internal/oauth"
	"aadlogin/internal/token"
)

func (a *attempt) otherAccount(c *token.Claims) error {
	got := cmp.Or(clean(c.PreferredUsername, 120), "an account without a name")
	return a.refuse(Refused,
		fmt.Sprintf("This sign-in is for %s, but %s signed in with the browser. "+
			"Try again, and choose %s there "+
			"(a private window helps if the browser picks an account by itself).",
			a.name.UPN, got, a.name.UPN),
		"other-account", "browser_account", c.PreferredUsername, "browser_oid", c.ObjectID)
}

// unverifiedName is also for guests whose organisation signs them in without Entra ID.
func (a *attempt) unverifiedName(c *token.Claims) error {
	return a.refuse(Denied,
		fmt.Sprintf("%s is here the name of a guest whose account is none of an organisation in "+
			"Entra ID, so it may carry any name. Sign in with such an account, or ask the "+
			"administrator of this machine.", a.name.UPN),
		"unverified-name", "browser_oid", c.ObjectID, "idp", c.IdentityProvider,
		"fix", "only a tenant of Entra ID vouches for names, and idp is none: give the person an "+
			"account of this tenant, or invite one of a tenant of theirs")
}

func (a *attempt) badToken(err error) error {
	var bad *token.InvalidError
	if errors.As(err, &bad) && a.event.flow != "" && a.isRelayed(bad) {
		return a.relayed(err)
	}
	if errors.As(err, &bad) || errors.Is(err, oauth.ErrUnusable) {
		return a.refuse(Refused,
			"The answer of the sign-in service could not be trusted, so nobody was signed in. "+
				"Tell the administrator of this machine.",
			"token-refused", append([]string{"error", err.Error()}, aboutClock(bad)...)...)
	}
	return a.cannotReach("sign-in service", err)
}

// aboutClock is the fix for a token of another time than this machine's. bad may be nil.
func aboutClock(bad *token.InvalidError) []string {
	if bad == nil || !slices.Contains([]string{"exp", "iat", "nbf"}, bad.Part) {
		return nil
	}
	return []string{"fix", "see that the clock is right: timedatectl; aadctl check compares it " +
		"with that of Entra ID"}
}

// noCode is for a device code that could not be had. The person has seen nothing yet.
func (a *attempt) noCode(err error) error {
	var theirs *oauth.Error
	if errors.As(err, &theirs) {
		return a.oauthRefused(theirs)
	}
	return a.cannotReach("sign-in service", err)
}

// notRedeemed is for an authorization code that was pasted and yields no tokens.
func (a *attempt) notRedeemed(err error) error {
	if errors.Is(err, oauth.ErrUnusable) {
		return a.badToken(err)
	}
	return a.noCode(err)
}

// notSignedIn is for a code that was shown without the browser bringing a token.
func (a *attempt) notSignedIn(err error) error {
	var outage *oauth.UnreachableError
	var refused *oauth.Error
	switch {
	case errors.As(err, &outage), errors.As(err, &refused):
		// As before there was a code. An outage may have a time-out for its cause: nobody could
		// tell that the person was done.
	case errors.Is(err, oauth.ErrExpired), errors.Is(err, context.DeadlineExceeded):
		return a.refuse(Refused, notInTime, "expired", "error", err.Error(), "fix", fixNotInTime)
	case errors.Is(err, oauth.ErrUnusable):
		return a.badToken(err)
	}
	return a.noCode(err)
}
