// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"aadlogin/internal/config"
)

// What "aadctl setup" fills the sign-in page with, and what "aadctl check" asks about it.

// A Page is what the sign-in page must know of this configuration.
type Page struct {
	Authority string // the authority's origin
	Issuer    string // of ID tokens
	Scope     string // what a sign-in asks for, with blanks between
}

// Page returns what the page must know. Call OpenID before.
func (p *Probe) Page() (Page, error) {
	if p.a.cfg.Authorization.Source == config.Permissions { // whose scope is the cloud's
		if err := p.c.found(); err != nil {
			return Page{}, err
		}
	}
	scopes := append([]string{"openid", "profile"}, p.a.deviceScopes(p.c)...)
	return Page{
		Authority: p.c.authority, Issuer: p.c.openID.Issuer, Scope: strings.Join(scopes, " "),
	}, nil
}

// Served is the answer of the sign-in page's host.
type Served struct {
	Status int
	Header http.Header
	Moved  string // where it sends browsers instead; "" nowhere
	Body   []byte
}

// FetchPage requests the sign-in page at exactly the configured address, as a browser that opens it
// for the first time, and follows no redirect.
func (p *Probe) FetchPage(ctx context.Context) (Served, error) {
	return p.fetch(ctx, p.a.cfg.SignIn.Page)
}

func (p *Probe) fetch(ctx context.Context, address string) (s Served, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return s, err
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Cache-Control", "no-cache")
	client := *p.c.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	answer, err := client.Do(req)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	s = Served{Status: answer.StatusCode, Header: answer.Header}
	if to, err := answer.Location(); err == nil && s.Status/100 == 3 {
		s.Moved = to.String()
	}
	s.Body, err = io.ReadAll(answer.Body)
	return s, err
}

// AddressUnknown reports whether Entra ID says that the page's address is not registered. For some
// wrong addresses it says so only after somebody has signed in, so false means nothing. Call OpenID
// before.
func (p *Probe) AddressUnknown(ctx context.Context) (bool, error) {
	page, err := p.Page()
	if err != nil {
		return false, err
	}
	endpoint, err := url.Parse(p.c.openID.AuthorizationEndpoint)
	if err != nil || endpoint.Scheme != "https" {
		return false, errors.Join(errSettings, err)
	}
	q := url.Values{
		"client_id":             {p.c.clientID},
		"response_type":         {"code"},
		"response_mode":         {"fragment"},
		"redirect_uri":          {p.a.cfg.SignIn.Page},
		"scope":                 {page.Scope},
		"state":                 {"check"},
		"nonce":                 {"check"},
		"code_challenge":        {noChallenge},
		"code_challenge_method": {"S256"},
	}
	endpoint.RawQuery = q.Encode()
	said, err := p.fetch(ctx, endpoint.String())
	return err == nil && (strings.Contains(string(said.Body), addressUnknown) ||
		strings.Contains(said.Moved, addressUnknown)), err
}

const (
	addressUnknown = "AADSTS50011"

	// noChallenge is the challenge of no known verifier, because the answer is not wanted.
	noChallenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
