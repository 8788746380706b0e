// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package authcode redeems an authorization code (RFC 6749, Section 4.1.3) that a person's browser
// was given, as a public client with PKCE (RFC 7636).
//
// MSAL Go makes the request, for the reasons of package devicecode, and through a transport of the
// same kind (package oauth). The request names the application, the address that the code was sent
// to, and the verifier. It holds no secret that outlives the code.
//
// A code is good once. So if the answer to a redemption is lost, the redemption cannot be told from
// one that never arrived. It is tried again after an outage, because the authority says whether the
// code is used up. If it is, that is no accusation then.
package authcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"aadlogin/internal/oauth"
	"aadlogin/internal/retry"
)

// A Request says what to redeem. Formatting it prints nothing.
type Request struct {
	oauth.Client
	Code     string
	Verifier string // of the challenge in the request for the code
	Redirect string // address that the code was sent to, as registered

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// Format keeps code and verifier out of logs, whatever the verb.
func (Request) Format(f fmt.State, _ rune) { io.WriteString(f, "authcode.Request") }

// Redeem exchanges the code for tokens.
//
// Errors: *[oauth.Error], the authority refused; *[oauth.UnreachableError]; [oauth.ErrUnusable];
// the error of ctx.
func Redeem(ctx context.Context, r Request) (*oauth.Tokens, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Sleep == nil {
		r.Sleep = retry.Sleep
	}
	t := &transport{request: r}
	client, err := r.MSAL(t)
	if err != nil {
		return nil, err
	}
	// the transport asks for the right ones
	result, err := client.AcquireTokenByAuthCode(ctx, r.Code, r.Redirect, []string{"openid"},
		public.WithChallenge(r.Verifier))
	switch {
	case err == nil && result.IDToken.RawToken != "":
		return t.tokens, nil
	case t.failed != nil:
		return nil, t.failed
	case ctx.Err() != nil:
		return nil, fmt.Errorf("authcode: %w", ctx.Err())
	case err != nil && !t.asked:
		return nil, oauth.ErrMetadata
	}
	return nil, oauth.ErrUnusable
}

// A transport is the HTTP client that MSAL is given. It serves one code.
type transport struct {
	request Request
	asked   bool // the authority was sent something
	failed  error
	tokens  *oauth.Tokens
}

// CloseIdleConnections is for MSAL's interface.
func (t *transport) CloseIdleConnections() {}

// Do answers MSAL from the metadata, or with the token endpoint's answer.
func (t *transport) Do(req *http.Request) (*http.Response, error) {
	switch {
	case oauth.WantsMetadata(req):
		return t.request.RespondMetadata(req), nil
	case req.Method != http.MethodPost:
		t.failed = fmt.Errorf("authcode: unexpected request %s %q", req.Method, req.URL.Path)
		return nil, t.failed
	}
	form, err := oauth.Form(req)
	if err == nil {
		var answer []byte
		if answer, err = t.redeem(req, form); err == nil {
			return oauth.Respond(req, answer), nil
		}
	}
	t.failed = err
	return nil, err
}

const (
	tries     = 3
	maxPause  = 10 * time.Second
	redeemed  = 54005 // AADSTS54005: the code was redeemed before
	firstWait = time.Second
)

// redeem asks a few times, until there is an answer. It returns what MSAL gets of it.
func (t *transport) redeem(msal *http.Request, form url.Values) ([]byte, error) {
	var before error // the outage that came before
	for try := 1; ; try++ {
		t.asked = true
		got, err := t.request.Post(msal, t.request.TokenEndpoint, t.form(form))
		if ctx := msal.Context(); err != nil && ctx.Err() != nil {
			none := fmt.Errorf("%w: no answer to a code", ctx.Err())
			return nil, &oauth.UnreachableError{Err: none}
		}
		outcome, err := t.request.Classify(got, err)
		var refused *oauth.Error
		switch {
		case outcome == oauth.Issued:
			var answer []byte
			t.tokens, answer, err = t.request.Accept(got.Body)
			return answer, err
		case before != nil && errors.As(err, &refused) && refused.Has([]int{redeemed}):
			lost := fmt.Errorf("the answer to the code was lost: %w", before)
			return nil, &oauth.UnreachableError{Err: lost}
		case outcome == oauth.Failed:
			return nil, err
		case try == tries:
			return nil, &oauth.UnreachableError{Err: err}
		}
		before = err
		pause := min(max(firstWait<<(try-1), got.RetryAfter(t.request.Now())), maxPause)
		if err := t.request.Sleep(msal.Context(), pause); err != nil {
			return nil, &oauth.UnreachableError{Err: fmt.Errorf("%w: %w", err, before)}
		}
	}
}

// form makes the form of RFC 6749, Section 4.1.3, and RFC 7636, Section 4.5, from what MSAL sends.
func (t *transport) form(msal url.Values) url.Values {
	return url.Values{
		"grant_type":    {"authorization_code"},
		"client_id":     {t.request.ClientID},
		"code":          {msal.Get("code")},
		"redirect_uri":  {msal.Get("redirect_uri")},
		"code_verifier": {msal.Get("code_verifier")},
		"scope":         {t.request.Scope()},
	}
}
