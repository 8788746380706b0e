// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package devicecode obtains an ID token through the OAuth 2.0 device authorization grant (RFC
// 8628).
//
// MSAL Go makes the requests, because it is Microsoft's own implementation of what Entra ID
// expects. Version 1.10.1, as measured, also polls at its own pace whatever interval the server
// asks for, gives up on the first 429, 5xx or reset, asks for a refresh token that nobody needs,
// and sends a grant type older than the RFC's. The transport (package oauth) corrects that: it
// makes one POST for each poll, and MSAL does not see pending, slow_down and outages.
package devicecode

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"

	"aadlogin/internal/oauth"
)

// A Request says which authority to ask for a code, and for what.
type Request struct {
	oauth.Client
	DeviceEndpoint string // of the tenant's metadata: device_authorization_endpoint
	Slower         []int  // AADSTS numbers that ask for fewer polls and end nothing

	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
}

// A Code is one device code, which waits for one person. The strings are the server's, raw.
// Formatting a Code prints nothing of it.
type Code struct {
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string // "" unless the server sends one
	Message                 string // the server's own words, localised
	Expires                 time.Time

	transport *transport
	msal      public.DeviceCode
}

// Format keeps the device code out of logs, whatever the verb.
func (Code) Format(f fmt.State, _ rune) { io.WriteString(f, "devicecode.Code") }

// Start requests a code.
//
// Errors: *[oauth.Error], the authority refused; *[oauth.UnreachableError]; the error of ctx.
func Start(ctx context.Context, r Request) (*Code, error) {
	if err := r.Check(r.DeviceEndpoint); err != nil {
		return nil, err
	}
	t := newTransport(r)
	client, err := r.MSAL(t)
	if err != nil {
		return nil, err
	}
	// the transport asks for the right ones
	msal, err := client.AcquireTokenByDeviceCode(ctx, []string{"openid"})
	switch {
	case err != nil && t.asked:
		return nil, t.explain(ctx)
	case err != nil:
		return nil, oauth.ErrMetadata
	}
	return &Code{
		UserCode:                t.code.UserCode,
		VerificationURI:         t.code.VerificationURI,
		VerificationURIComplete: t.code.VerificationURIComplete,
		Message:                 t.code.Message,
		Expires:                 t.expires,
		transport:               t,
		msal:                    msal,
	}, nil
}

// Wait polls until the person is done, the code expires or ctx ends. It is called once.
//
// Errors: [oauth.ErrExpired]; *[oauth.Error], the person or the authority refused;
// *[oauth.UnreachableError], the authority was last seen not answering; [oauth.ErrUnusable]; the
// error of ctx.
func (c *Code) Wait(ctx context.Context) (*oauth.Tokens, error) {
	result, err := c.msal.AuthenticationResult(ctx)
	if err != nil {
		return nil, c.transport.explain(ctx)
	}
	if result.IDToken.RawToken == "" {
		return nil, oauth.ErrUnusable
	}
	return c.transport.tokens, nil
}
