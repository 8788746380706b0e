// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aadlogin/internal/azure"
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
	tokens  Tokens
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
		if strings.HasSuffix(req.URL.Path, "/.well-known/openid-configuration") {
			return respond(req, metadataForMSAL(req, d.request.Metadata)), nil
		}
	case http.MethodPost:
		form, err := readForm(req)
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
		// Without offline_access there is no refresh token to steal.
		"scope": {strings.Join(append([]string{"openid", "profile"}, r.Scopes...), " ")},
	}
	got, err := d.post(req, r.DeviceEndpoint, form)
	if err != nil {
		return nil, d.fail(&UnreachableError{err})
	}
	if err := got.foreign(); err != nil {
		return nil, d.fail(&UnreachableError{err})
	}
	if got.status != http.StatusOK {
		v, err := r.reconsider(failed, refusal(got))
		if v != failed {
			err = &UnreachableError{err}
		}
		return nil, d.fail(err)
	}
	code, err := parseCode(got.body)
	if err != nil {
		return nil, d.fail(&UnreachableError{err})
	}
	now := r.Now()
	d.code = code
	d.expires = now.Add(code.lifetime())
	d.pace = newPace(now, code.interval())
	return respond(req, code.forMSAL()), nil
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
		verdict, err := d.request.reconsider(judge(got, err))
		d.outage = nil
		switch verdict {
		case granted:
			text, err := d.accept(got.body)
			if err != nil {
				return nil, d.fail(err)
			}
			return respond(req, text), nil
		case pending:
			d.pace.pending(now)
		case slower:
			d.pace.slower(now)
		case outage:
			d.outage = err
			d.pace.outage(now, retryAfter(got, now))
		default:
			return nil, d.fail(err)
		}
	}
}

// ask is one poll. It does not outlive the code.
func (d *door) ask(req *http.Request, form url.Values) (*reply, error) {
	ctx, cancel := context.WithTimeout(req.Context(), d.expires.Sub(d.request.Now()))
	defer cancel()
	return d.post(req.WithContext(ctx), d.request.TokenEndpoint, form)
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
		return &UnreachableError{fmt.Errorf("until the code expired: %w", d.outage)}
	default:
		return ErrExpired
	}
}

// interrupted is the end of ctx; during an outage, the network is to blame.
func (d *door) interrupted(err error) error {
	if d.outage != nil {
		return &UnreachableError{fmt.Errorf("%w: %w", err, d.outage)}
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
		return ErrUnusable
	}
}

// A reply is an answer of the authority, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
	host   string // that was asked
}

// foreign says who answered in the authority's place, if it was a page for people.
func (r *reply) foreign() error {
	if page := azure.Foreign(r.status, r.header, r.body, r.host); page != "" {
		return errors.New(page)
	}
	return nil
}

// maxBody bounds an answer; an honest one has about 4 KiB.
const maxBody = 1 << 20

// post sends form with the headers of MSAL's own request, which name the
// client to Microsoft's support.
func (d *door) post(msal *http.Request, endpoint string, form url.Values) (*reply, error) {
	text := form.Encode()
	req, err := http.NewRequestWithContext(msal.Context(), http.MethodPost, endpoint, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header = msal.Header.Clone()
	req.Header.Set("Accept", "application/json")
	resp, err := d.request.HTTP.Do(req)
	if err != nil {
		return nil, azure.Quiet(req, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, azure.Quiet(req, err)
	}
	if len(body) > maxBody {
		return nil, errors.New("answer larger than 1 MiB")
	}
	return &reply{resp.StatusCode, resp.Header, body, req.URL.Host}, nil
}

func readForm(req *http.Request) (url.Values, error) {
	defer req.Body.Close()
	text, err := io.ReadAll(io.LimitReader(req.Body, maxBody))
	if err != nil {
		return nil, errors.New("devicecode: MSAL's request cannot be read")
	}
	return url.ParseQuery(string(text))
}

func respond(req *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status:        "200 OK",
		StatusCode:    http.StatusOK,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       req,
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
