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

	"aadlogin/internal/azure"
	"aadlogin/internal/oauth"
)

// grantType is the grant type of RFC 8628, Section 3.4. MSAL sends a draft's.
const grantType = "urn:ietf:params:oauth:grant-type:device_code"

// A door is the HTTP client that MSAL is given. It serves one code and is
// used by one goroutine at a time.
type door struct {
	request Request
	code    codeAnswer
	expires time.Time
	asked   bool // the authority was sent something
	pace    pace
	outage  error // why the last poll was no answer; nil when it was one
	failed  error // what ended the grant
	tokens  *oauth.Tokens
}

func newDoor(r Request) *door {
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Sleep == nil {
		r.Sleep = azure.Sleep
	}
	return &door{request: r}
}

// CloseIdleConnections is for MSAL's interface; the connections are the
// caller's.
func (d *door) CloseIdleConnections() {}

// Do answers MSAL. Requests are told apart by what they are, not by their
// URL: MSAL makes the device endpoint up, by replacing "token" in the other.
// Nothing MSAL asks for goes to any host but the two known endpoints.
func (d *door) Do(req *http.Request) (*http.Response, error) {
	switch req.Method {
	case http.MethodGet:
		if oauth.WantsMetadata(req) {
			return d.request.RespondMetadata(req), nil
		}
	case http.MethodPost:
		form, err := oauth.Form(req)
		if err != nil {
			return nil, d.fail(err)
		}
		if device := form.Get("device_code"); device != "" {
			return d.poll(req, device)
		}
		return d.begin(req)
	}
	return nil, d.fail(fmt.Errorf("devicecode: unexpected request %s %q", req.Method, req.URL.Path))
}

// begin is the device authorization request (RFC 8628, Section 3.1).
func (d *door) begin(req *http.Request) (*http.Response, error) {
	r := d.request
	d.asked = true
	form := url.Values{
		"client_id": {r.ClientID},
		"scope":     {r.Scope()},
	}
	got, err := r.Post(req, r.DeviceEndpoint, form)
	if err != nil {
		return nil, d.fail(&oauth.UnreachableError{Err: err})
	}
	if err := got.Foreign(); err != nil {
		return nil, d.fail(&oauth.UnreachableError{Err: err})
	}
	if got.Status != http.StatusOK {
		v, err := r.judge(got, nil)
		if v != failed {
			err = &oauth.UnreachableError{Err: err}
		}
		return nil, d.fail(err)
	}
	code, err := parseCode(got.Body)
	if err != nil {
		return nil, d.fail(&oauth.UnreachableError{Err: err})
	}
	now := r.Now()
	d.code = code
	d.expires = now.Add(code.lifetime())
	d.pace = newPace(now, code.interval())
	return oauth.Respond(req, code.forMSAL()), nil
}

// poll asks for the tokens as often as it takes. It returns to MSAL with the
// final answer only.
func (d *door) poll(req *http.Request, device string) (*http.Response, error) {
	ctx := req.Context()
	form := url.Values{
		"grant_type":  {grantType},
		"client_id":   {d.request.ClientID},
		"device_code": {device},
	}
	for {
		if err := d.waitTurn(ctx); err != nil {
			return nil, d.fail(err)
		}
		asked := d.request.Now()
		got, err := d.ask(req, form)
		now := d.request.Now()
		if err != nil && ctx.Err() != nil {
			if now.Sub(asked) > d.pace.interval {
				d.outage = errors.New("the last poll had no answer")
			}
			return nil, d.fail(d.interrupted(ctx.Err()))
		}
		verdict, err := d.request.judge(got, err)
		d.outage = nil
		switch verdict {
		case granted:
			tokens, text, err := d.request.Accept(got.Body)
			if err != nil {
				return nil, d.fail(err)
			}
			d.tokens = tokens
			return oauth.Respond(req, text), nil
		case pending:
			d.pace.pending(now)
		case slower:
			d.pace.slower(now)
		case outage:
			d.outage = err
			d.pace.outage(now, got.RetryAfter(now))
		default:
			return nil, d.fail(err)
		}
	}
}

// ask is one poll. It does not outlive the code.
func (d *door) ask(req *http.Request, form url.Values) (*oauth.Reply, error) {
	ctx, cancel := context.WithTimeout(req.Context(), d.expires.Sub(d.request.Now()))
	defer cancel()
	return d.request.Post(req.WithContext(ctx), d.request.TokenEndpoint, form)
}

// waitTurn sleeps until the next poll is due. A code that expires meanwhile
// is not polled for again.
func (d *door) waitTurn(ctx context.Context) error {
	now := d.request.Now()
	until := d.pace.next
	if d.expires.Before(until) {
		until = d.expires
	}
	if err := d.request.Sleep(ctx, until.Sub(now)); err != nil {
		return d.interrupted(err)
	}
	switch {
	case d.request.Now().Before(d.expires):
		return nil
	case d.outage != nil:
		// Nobody could have known that the person was done.
		return &oauth.UnreachableError{Err: fmt.Errorf("until the code expired: %w", d.outage)}
	default:
		return oauth.ErrExpired
	}
}

// interrupted is the end of ctx; during an outage, the network is to blame.
func (d *door) interrupted(err error) error {
	if d.outage != nil {
		return &oauth.UnreachableError{Err: fmt.Errorf("%w: %w", err, d.outage)}
	}
	return fmt.Errorf("devicecode: %w", err)
}

func (d *door) fail(err error) error {
	d.failed = err
	return err
}

// explain says why MSAL returned an error, without looking at that error: it
// may quote tokens.
func (d *door) explain(ctx context.Context) error {
	switch {
	case d.failed != nil:
		return d.failed
	case ctx.Err() != nil:
		return fmt.Errorf("devicecode: %w", ctx.Err())
	default:
		return oauth.ErrUnusable
	}
}

// forMSAL is the code as MSAL gets it: with a minute to spare, so that it is
// this package that notices the end.
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
