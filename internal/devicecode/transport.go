// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"aadlogin/internal/oauth"
	"aadlogin/internal/retry"
)

// grantType is the grant type of RFC 8628, Section 3.4. MSAL sends a draft's.
const grantType = "urn:ietf:params:oauth:grant-type:device_code"

// A transport is the HTTP client that MSAL is given. It serves one code, and one goroutine at a
// time uses it.
type transport struct {
	request Request
	code    codeAnswer
	expires time.Time
	asked   bool // the authority was sent something
	pace    pace
	outage  error // why the last poll was no answer; nil when it was one
	failed  error // what ended the attempt
	tokens  *oauth.Tokens
}

func newTransport(r Request) *transport {
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Sleep == nil {
		r.Sleep = retry.Sleep
	}
	return &transport{request: r}
}

// CloseIdleConnections is for MSAL's interface; the connections are the caller's.
func (t *transport) CloseIdleConnections() {}

// Do answers MSAL. It tells requests apart by what they are, not by their URL: MSAL makes up the
// device endpoint by replacing "token" in the other one. No request goes to another address than
// the two known endpoints.
func (t *transport) Do(req *http.Request) (*http.Response, error) {
	switch req.Method {
	case http.MethodGet:
		if oauth.WantsMetadata(req) {
			return t.request.RespondMetadata(req), nil
		}
	case http.MethodPost:
		form, err := oauth.Form(req)
		if err != nil {
			return nil, t.fail(err)
		}
		if device := form.Get("device_code"); device != "" {
			return t.poll(req, device)
		}
		return t.begin(req)
	}
	return nil, t.fail(fmt.Errorf("devicecode: unexpected request %s %q", req.Method, req.URL.Path))
}

// begin sends the device authorization request (RFC 8628, Section 3.1).
func (t *transport) begin(req *http.Request) (*http.Response, error) {
	r := t.request
	t.asked = true
	form := url.Values{
		"client_id": {r.ClientID},
		"scope":     {r.Scope()},
	}
	got, err := r.Post(req, r.DeviceEndpoint, form)
	if err != nil {
		return nil, t.fail(&oauth.UnreachableError{Err: err})
	}
	if err := got.Foreign(); err != nil {
		return nil, t.fail(&oauth.UnreachableError{Err: err})
	}
	if got.Status != http.StatusOK {
		of, err := r.classify(got, nil)
		if of != failed {
			err = &oauth.UnreachableError{Err: err}
		}
		return nil, t.fail(err)
	}
	code, err := parseCode(got.Body)
	if err != nil {
		return nil, t.fail(&oauth.UnreachableError{Err: err})
	}
	now := r.Now()
	t.code = code
	t.expires = now.Add(code.lifetime())
	t.pace = newPace(now, code.interval())
	return oauth.Respond(req, code.forMSAL()), nil
}

// poll asks for the tokens as often as it takes. It returns only the final answer to MSAL.
func (t *transport) poll(req *http.Request, device string) (*http.Response, error) {
	ctx := req.Context()
	form := url.Values{
		"grant_type":  {grantType},
		"client_id":   {t.request.ClientID},
		"device_code": {device},
	}
	for {
		if err := t.waitTurn(ctx); err != nil {
			return nil, t.fail(err)
		}
		asked := t.request.Now()
		got, err := t.ask(req, form)
		now := t.request.Now()
		if err != nil && ctx.Err() != nil {
			if now.Sub(asked) > t.pace.interval {
				t.outage = errors.New("the last poll had no answer")
			}
			return nil, t.fail(t.interrupted(ctx.Err()))
		}
		outcome, err := t.request.classify(got, err)
		t.outage = nil
		switch outcome {
		case issued:
			tokens, text, err := t.request.Accept(got.Body)
			if err != nil {
				return nil, t.fail(err)
			}
			t.tokens = tokens
			return oauth.Respond(req, text), nil
		case pending:
			t.pace.pending(now)
		case slower:
			t.pace.slower(now)
		case outage:
			t.outage = err
			t.pace.outage(now, got.RetryAfter(now))
		default:
			return nil, t.fail(err)
		}
	}
}

// ask sends one poll, which ends when the code expires.
func (t *transport) ask(req *http.Request, form url.Values) (*oauth.Reply, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.expires.Sub(t.request.Now()))
	defer cancel()
	return t.request.Post(req.WithContext(ctx), t.request.TokenEndpoint, form)
}

// waitTurn sleeps until the next poll is due. If the code expires meanwhile, it is not polled for
// again.
func (t *transport) waitTurn(ctx context.Context) error {
	now := t.request.Now()
	until := t.pace.next
	if t.expires.Before(until) {
		until = t.expires
	}
	if err := t.request.Sleep(ctx, until.Sub(now)); err != nil {
		return t.interrupted(err)
	}
	switch {
	case t.request.Now().Before(t.expires):
		return nil
	case t.outage != nil:
		// Nobody could have known that the person was done.
		return &oauth.UnreachableError{Err: fmt.Errorf("until the code expired: %w", t.outage)}
	default:
		return oauth.ErrExpired
	}
}

// interrupted returns the error for the end of ctx. During an outage, it is the network's.
func (t *transport) interrupted(err error) error {
	if t.outage != nil {
		return &oauth.UnreachableError{Err: fmt.Errorf("%w: %w", err, t.outage)}
	}
	return fmt.Errorf("devicecode: %w", err)
}

func (t *transport) fail(err error) error {
	t.failed = err
	return err
}

// explain says why MSAL returned an error. It does not look at that error, which may quote tokens.
func (t *transport) explain(ctx context.Context) error {
	switch {
	case t.failed != nil:
		return t.failed
	case ctx.Err() != nil:
		return fmt.Errorf("devicecode: %w", ctx.Err())
	default:
		return oauth.ErrUnusable
	}
}

// forMSAL returns the code as MSAL gets it. Its lifetime has a minute added, so that this package
// notices the end first.
func (c codeAnswer) forMSAL() []byte {
	text, _ := json.Marshal(map[string]any{ // strings and numbers always marshal
		"user_code":        c.UserCode,
		"device_code":      c.DeviceCode,
		"verification_uri": c.VerificationURI,
		"message":          c.Message,
		"expires_in":       int(c.lifetime()/time.Second) + 60,
		"interval":         int(c.interval() / time.Second),
	})
	return text
}
