// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package devicecode obtains an ID token through the OAuth 2.0 device
// authorization grant (RFC 8628).
//
// MSAL Go does the grant, because it is Microsoft's own account of what
// Entra ID expects. Measured on version 1.10.1, it also polls at its own pace
// whatever interval the server asks for, gives up on the first 429, 5xx or
// reset, asks for a refresh token nobody needs, and sends a grant type older
// than the RFC. All of that is put right in the HTTP client handed to it:
//
//	MSAL ──request──▶ door ──▶ the authority, one POST per poll
//	     ◀──final answer──  ◀── pending, slow_down, outages: stay here
//
// MSAL sees three answers: the OpenID metadata, which the caller has fetched
// and validated already; the code; and, once the person is done, the ID token.
// Every other end is an error of this package, so that MSAL's errors, which
// quote whole answers, are never formatted. MSAL's cache is in memory and
// dies with the [Code]; nothing is written to disk or logged.
//
// The ID token comes back as it was sent. MSAL has only decoded it: it means
// nothing until package token has verified it.
package devicecode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// A Request says whom to ask for a code, and for what.
type Request struct {
	Authority      string // https URL of the tenant: https://login.microsoftonline.com/<tenant>
	ClientID       string
	Scopes         []string // besides openid and profile, all of one resource
	AccessToken    bool     // hand out the access token, which must be good for Scopes; else it is dropped
	Metadata       []byte   // the tenant's OpenID metadata, validated
	DeviceEndpoint string   // its device_authorization_endpoint
	TokenEndpoint  string   // its token_endpoint
	HTTP           *http.Client

	// AADSTS numbers with which a poll is no end, whatever error they come with: an outage, or asked too often.
	Passing, Slower []int

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// A Code is one device code, waiting for one person. The strings are the
// server's, raw. Formatting a Code prints none of it.
type Code struct {
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string // "" unless the server sends one
	Message                 string // the server's own words, localised
	Expires                 time.Time

	door  *door
	grant public.DeviceCode
}

// Format keeps the device code out of logs whatever the verb.
func (Code) Format(f fmt.State, _ rune) { io.WriteString(f, "devicecode.Code") }

// Start asks for a code: one request.
//
// Errors: *[Error], the authority refused; *[UnreachableError]; the error of ctx.
func Start(ctx context.Context, r Request) (*Code, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	d := newDoor(r)
	client, err := public.New(r.ClientID,
		public.WithAuthority(r.Authority),
		public.WithHTTPClient(d),
		public.WithInstanceDiscovery(false), // would ask a host nobody configured
	)
	if err != nil {
		return nil, fmt.Errorf("devicecode: authority %q is not acceptable to MSAL", r.Authority)
	}
	grant, err := client.AcquireTokenByDeviceCode(ctx, []string{"openid"}) // the door asks for the right ones
	switch {
	case err != nil && d.asked:
		return nil, d.explain(ctx)
	case err != nil:
		return nil, errors.New("devicecode: the tenant's metadata is not acceptable to MSAL")
	}
	return &Code{
		UserCode:                d.code.UserCode,
		VerificationURI:         d.code.VerificationURI,
		VerificationURIComplete: d.code.VerificationURIComplete,
		Message:                 d.code.Message,
		Expires:                 d.expires,
		door:                    d,
		grant:                   grant,
	}, nil
}

// Wait polls until the person is done, the code expires or ctx ends. It is
// called once.
//
// Errors: [ErrExpired]; *[Error], the person or the authority refused;
// *[UnreachableError], the authority was last seen not answering;
// [ErrUnusable]; the error of ctx.
func (c *Code) Wait(ctx context.Context) (*Tokens, error) {
	result, err := c.grant.AuthenticationResult(ctx)
	if err != nil {
		return nil, c.door.explain(ctx)
	}
	if result.IDToken.RawToken == "" {
		return nil, ErrUnusable
	}
	return &c.door.tokens, nil
}

// check refuses what would send a device code over the network readable.
func (r Request) check() error {
	for _, endpoint := range []string{r.DeviceEndpoint, r.TokenEndpoint} {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("devicecode: endpoint %q is not an https URL", endpoint)
		}
	}
	if r.ClientID == "" || r.HTTP == nil {
		return errors.New("devicecode: request without client")
	}
	return nil
}
