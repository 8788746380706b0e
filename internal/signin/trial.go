// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/devicecode"
	"aadlogin/internal/oauth"
	"aadlogin/internal/token"
)

// Try is a sign-in with another sign_in.scope than the configuration's, for "aadctl check
// --tenant". show tells somebody the page and the code, cleaned for a terminal. The tokens are
// verified and dropped. Try reports whether the answer is good for the scope. Call OpenID before.
func (p *Probe) Try(
	ctx context.Context, scope string, show func(page, code string),
) (granted bool, err error) {
	cfg := *p.a.cfg
	cfg.SignIn.Scope = scope
	a := *p.a
	a.cfg = &cfg
	if cfg.Authorization.Source == config.Permissions {
		if err := p.c.found(); err != nil {
			return false, err
		}
	}
	code, err := devicecode.Start(ctx, a.deviceRequest(p.c))
	if err != nil {
		return false, err
	}
	show(clean(code.VerificationURI, 200), clean(code.UserCode, 64))
	tokens, err := code.Wait(ctx)
	if err != nil {
		return false, err
	}
	verifier := token.Verifier{
		ClientID: p.c.clientID, TenantID: p.c.openID.TenantID, Issuer: p.c.openID.Issuer,
		Keys: a.provider(p.c).Keys(p.c.openID), Now: a.Now,
	}
	if _, err := verifier.Verify(ctx, tokens.IDToken); err != nil {
		return false, err
	}
	return scope == "" || tokens.HasScope(scope), nil
}

// A Refusal is what an error of Entra ID means.
type Refusal struct {
	Number   string // "AADSTS53003", or the word of OAuth
	Happened string // as the person at the prompt reads it, who is not told to tell an administrator
	Fix      string // for the administrator; may be empty

	Settings, Unreachable bool // whose fault it is, if not the person's or a policy's
}

// Explain looks up what the tables of this package have.
func Explain(word string, numbers ...int) Refusal {
	return meaning(word, numbers).explained(word, numbers)
}

func (means answer) explained(word string, numbers []int) Refusal {
	r := Refusal{
		Number:      clean(word, 40),
		Happened:    strings.TrimPrefix(means.person, tellAdministrator),
		Fix:         means.fix,
		Settings:    means.verdict == Misconfigured,
		Unreachable: means.verdict == Unreachable,
	}
	if len(numbers) > 0 {
		r.Number = fmt.Sprintf("AADSTS%d", numbers[0])
	}
	return r
}

// ExplainError is Explain for an error of Try.
func ExplainError(err error) Refusal {
	var theirs *oauth.Error
	if errors.As(err, &theirs) {
		return Explain(theirs.Code, theirs.AADSTS...)
	}
	return Refusal{Number: "no number", Happened: clean(err.Error(), 300), Unreachable: true}
}

// Unfinished reports whether err of Try says nothing but that nobody was done in time.
func Unfinished(err error) bool {
	return errors.Is(err, oauth.ErrExpired) || errors.Is(err, context.Canceled) ||
		errors.Is(err, context.DeadlineExceeded)
}
