// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"

	"aadlogin/internal/authcode"
	"aadlogin/internal/config"
	"aadlogin/internal/oauth"
	"aadlogin/internal/pasted"
	"aadlogin/internal/token"
)

// A PageTrial is one way through a sign-in page.
type PageTrial struct {
	Page    string
	Answer  string // as sign_in.answer
	Account string // who goes it
}

// anyLength is that of an answer in one part, where the terminal takes as much: what a terminal
// hands on is 4095 characters.
const anyLength = 4000

// TryPage is a sign-in by a page, for "aadctl check --tenant": paste is given the address to open,
// and "" when it is called again, and returns what was pasted. The tokens are verified and dropped.
// TryPage returns how many characters the answer had, and errs as the page's answer does, as Try
// does, or as paste did. After OpenID.
func (p *Probe) TryPage(
	ctx context.Context, t PageTrial, paste func(address string) (string, error),
) (length int, err error) {
	kind := pasted.Token
	if t.Answer == config.CodeAnswer {
		kind = pasted.Code
	}
	asked := pasted.New(pasted.Attempt{
		Page: t.Page, Account: t.Account, Machine: clean(hostname(), 64),
		Origin: "local", Service: "aadctl", Kind: kind, Size: anyLength,
	})
	parts := asked.Parts()
	for address := asked.Address(); !parts.Complete(); address = "" {
		answer, err := paste(address)
		if err != nil {
			return 0, err
		}
		length += parts.Add([]byte(answer)).Length
	}
	raw, err := p.idToken(ctx, t, asked, parts)
	if err != nil {
		return length, err
	}
	verifier := token.Verifier{
		ClientID: p.c.clientID, TenantID: p.c.openID.TenantID, Issuer: p.c.openID.Issuer,
		Nonce: asked.Nonce(), Keys: p.a.provider(p.c).Keys(p.c.openID), Now: p.a.Now,
	}
	_, err = verifier.Verify(ctx, raw)
	return length, err
}

// ExplainAnswer is Explain for a number that has to do with an answer: one that the browser shows,
// or that an error of TryPage has. An error that Entra ID did not send has none.
func ExplainAnswer(err error, numbers ...int) Refusal {
	word := ""
	if refused := (*oauth.Error)(nil); errors.As(err, &refused) {
		word, numbers = refused.Code, refused.AADSTS
	} else if err != nil {
		return ExplainError(err)
	}
	return meaningOfAnswer(word, numbers).explained(word, numbers)
}

func (p *Probe) idToken(
	ctx context.Context, t PageTrial, asked *pasted.Attempt, parts *pasted.Parts,
) (string, error) {
	if asked.Kind == pasted.Token {
		return parts.Token(pasted.Known{
			Tenant: p.c.openID.TenantID, Client: p.c.clientID, Issuer: p.c.openID.Issuer,
		})
	}
	code, err := parts.Code()
	if err != nil {
		return "", err
	}
	if p.a.cfg.Authorization.Source == config.Permissions {
		if err := p.c.found(); err != nil {
			return "", err
		}
	}
	tokens, err := authcode.Redeem(ctx, authcode.Request{
		Client: p.a.client(p.c), Code: code, Verifier: asked.Verifier(),
		Redirect: t.Page, Now: p.a.Now,
	})
	if err != nil {
		return "", err
	}
	if scope := p.a.cfg.SignIn.Scope; scope != "" && !tokens.HasScope(scope) {
		return "", fmt.Errorf("%w: the scope is not in the answer", oauth.ErrUnusable)
	}
	return tokens.IDToken, nil
}
