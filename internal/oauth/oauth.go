// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package oauth is what the ways to an ID token have in common: whom to ask,
// what an answer may be, and what is kept of it.
//
// MSAL Go makes the requests, and packages devicecode and authcode hand it an
// HTTP client each, a transport, through which only what they know passes:
//
//	MSAL ──request──▶ transport ──▶ the authority
//	     ◀──final answer──       ◀── outages stay here
//
// MSAL sees the OpenID metadata, which the caller has fetched and validated
// already, and the ID token once there is one. Every other end is an error of
// this package, so that MSAL's errors, which quote whole answers, are never
// formatted. MSAL's cache is in memory and dies with the transport; nothing is written
// to disk or logged.
//
// The ID token comes back as it was sent. MSAL has only decoded it: it means
// nothing until package token has verified it.
package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// A Client says who asks which authority, and for what.
type Client struct {
	Authority     string   // https URL of the tenant: https://login.microsoftonline.com/<tenant>
	ClientID      string   // of a public client
	Scopes        []string // besides openid and profile, all of one resource
	AccessToken   bool     // hand out the access token, which must be good for Scopes; else it is dropped
	Metadata      []byte   // the tenant's OpenID metadata, validated
	TokenEndpoint string   // its token_endpoint
	HTTP          *http.Client

	// AADSTS numbers that are an outage, whatever error they come with.
	Passing []int
}

// Check refuses what would send a secret over the network readable. endpoints
// are those besides the token endpoint.
func (c Client) Check(endpoints ...string) error {
	for _, endpoint := range append(endpoints, c.TokenEndpoint) {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("oauth: endpoint %q is not an https URL", endpoint)
		}
	}
	if c.ClientID == "" || c.HTTP == nil {
		return errors.New("oauth: request without client")
	}
	return nil
}

// A Transport answers MSAL's requests.
type Transport interface {
	Do(*http.Request) (*http.Response, error)
	CloseIdleConnections() // the connections are the caller's
}

// MSAL returns an MSAL client that sends its requests through t.
func (c Client) MSAL(t Transport) (public.Client, error) {
	client, err := public.New(c.ClientID,
		public.WithAuthority(c.Authority),
		public.WithHTTPClient(t),
		public.WithInstanceDiscovery(false), // would ask a host nobody configured
	)
	if err != nil {
		return public.Client{}, fmt.Errorf("oauth: authority %q is not acceptable to MSAL", c.Authority)
	}
	return client, nil
}

// ErrMetadata says that MSAL asked for nothing, because of the metadata.
var ErrMetadata = errors.New("oauth: the tenant's metadata is not acceptable to MSAL")
