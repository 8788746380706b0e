// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"

	"aadlogin/internal/authcode"
	"aadlogin/internal/config"
	"aadlogin/internal/devicecode"
	"aadlogin/internal/oauth"
	"aadlogin/internal/pasted"
	"aadlogin/internal/token"
)

// browse is all that the two flows differ in: the person signs in with a browser, and the verified
// result comes back here.
func (a *attempt) browse(ctx context.Context, c *cloud) (*token.Claims, *oauth.Tokens, error) {
	get := a.byDeviceCode
	if a.cfg.SignIn.Flow == config.Browser {
		get = a.byAnswer
	}
	tokens, err := get(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	a.debug("browser")
	a.browser = a.moment()
	a.noteScope(tokens)
	claims, err := c.verifier.Verify(ctx, tokens.IDToken)
	if err != nil {
		return nil, nil, a.badToken(err)
	}
	a.event.signIn = claims.SignInID
	return claims, tokens, nil
}

// byDeviceCode shows a code, and waits for the tokens that come once somebody has entered it.
func (a *attempt) byDeviceCode(ctx context.Context, c *cloud) (*oauth.Tokens, error) {
	code, err := devicecode.Start(ctx, a.deviceRequest(c))
	if err != nil {
		return nil, a.noCode(err)
	}
	a.event.entraTook = a.since(a.asking)
	if err := c.found(); err != nil {
		return nil, a.noMachine(err)
	}
	a.debug("endpoints", "authority", c.authority, "resource", c.resource.String())
	a.ask(code)
	go c.verifier.Keys.Prepare(ctx) // to be early, but not before the prompt

	// From here on the person is busy in the browser. All that follows is done, and the result
	// waiting, when they come back and press ENTER.
	tokens, err := code.Wait(ctx)
	if err != nil {
		return nil, a.notSignedIn(err)
	}
	return tokens, nil
}

// byAnswer shows the address of the sign-in page, and reads what is pasted. Nothing about the
// attempt goes to Entra ID before that: the tenant's metadata and keys are public, and cached for a
// day.
func (a *attempt) byAnswer(ctx context.Context, c *cloud) (*oauth.Tokens, error) {
	a.event.flow = config.Browser
	if err := c.found(); err != nil {
		return nil, a.noMachine(err)
	}
	a.debug("endpoints", "authority", c.authority, "resource", c.resource.String())
	asked := pasted.New(a.pastedAttempt())
	c.verifier.Nonce = asked.Nonce()
	go c.verifier.Keys.Prepare(ctx) // to be early
	p := &paste{attempt: a, asked: asked, parts: asked.Parts()}
	for {
		if err := p.complete(ctx); err != nil {
			return nil, err
		}
		tokens, err := a.redeem(ctx, c, asked, p.parts)
		if !errors.Is(err, pasted.ErrUnusable) {
			return tokens, err
		}
		a.debug("answer", "problem", err.Error())
		p.startAgain()
	}
}

// redeem returns the tokens of an answer, which holds a token, or a code for tokens.
// pasted.ErrUnusable means that it holds neither.
func (a *attempt) redeem(
	ctx context.Context, c *cloud, asked *pasted.Attempt, parts *pasted.Parts,
) (*oauth.Tokens, error) {
	if asked.Kind == pasted.Token {
		raw, err := parts.Token(pasted.Known{
			Tenant: c.openID.TenantID, Client: c.clientID, Issuer: c.openID.Issuer,
		})
		return &oauth.Tokens{IDToken: raw}, err
	}
	code, err := parts.Code()
	if err != nil {
		return nil, err
	}
	a.asking = a.Now()
	tokens, err := authcode.Redeem(ctx, authcode.Request{
		Client: a.client(c), Code: code, Verifier: asked.Verifier(), Redirect: a.cfg.SignIn.Page,
		Now: a.Now,
	})
	a.event.entraTook = a.since(a.asking)
	if err != nil {
		return nil, a.notRedeemed(err)
	}
	return tokens, nil
}
