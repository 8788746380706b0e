// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package devicecode obtains an ID token through the OAuth 2.0 device
// authorization grant (RFC 8628).
//
// MSAL Go does the grant, because it is Microsoft's own account of what
// Entra ID expects. Measured on version 1.10.1, it also polls at its own pace
// whatever interval the server asks for, gives up on the first 429, 5xx or
// reset, asks for a refresh token nobody needs, and sends a grant type older
// than the RFC. All of that is put right in the door (package oauth): one POST
// for each poll, and pending, slow_down and outages stay outside.
package devicecode

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"aadlogin/internal/oauth"
)

// A Request says whom to ask for a code, and for what.
type Request struct {
	oauth.Client
	DeviceEndpoint string // of the tenant's metadata: device_authorization_endpoint
	Slower         []int  // AADSTS numbers with which a poll was one too many, and no end

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
// Errors: *[oauth.Error], the authority refused; *[oauth.UnreachableError]; the error of ctx.
func Start(ctx context.Context, r Request) (*Code, error) {
	if err := r.Check(r.DeviceEndpoint); err != nil {
		return nil, err
	}
	d := newDoor(r)
	client, err := r.MSAL(d)
	if err != nil {
		return nil, err
	}
	grant, err := client.AcquireTokenByDeviceCode(ctx, []string{"openid"}) // the door asks for the right ones
	switch {
	case err != nil && d.asked:
		return nil, d.explain(ctx)
	case err != nil:
		return nil, oauth.ErrMetadata
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
// Errors: [oauth.ErrExpired]; *[oauth.Error], the person or the authority refused;
// *[oauth.UnreachableError], the authority was last seen not answering;
// [oauth.ErrUnusable]; the error of ctx.
func (c *Code) Wait(ctx context.Context) (*oauth.Tokens, error) {
	result, err := c.grant.AuthenticationResult(ctx)
	if err != nil {
		return nil, c.door.explain(ctx)
	}
	if result.IDToken.RawToken == "" {
		return nil, oauth.ErrUnusable
	}
	return c.door.tokens, nil
}
