// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package oauth has what the ways to an ID token have in common: which authority is asked, what an
// answer may be, and what is kept of it.
//
// MSAL Go makes the requests. Packages devicecode and authcode each give it an HTTP client, a
// transport, which lets only known requests pass:
//
//	MSAL ──request──▶ transport ──▶ the authority
//	     ◀──final answer──       ◀── outages stay here
//
// MSAL sees the OpenID metadata, which the caller has fetched and validated already, and the ID
// token once there is one. Every other end is an error of this package, so that MSAL's errors,
// which quote whole answers, are never formatted. MSAL's cache is in memory and ends with the
// transport. Nothing is written to disk or logged.
//
// The ID token is returned as it was sent. MSAL has only decoded it: it means nothing until package
// token has verified it.
package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/public"
)

// A Client says which application asks which authority, and for what.
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

// Check refuses endpoints to which a secret would be sent readable. endpoints are those besides the
// token endpoint.
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
		return public.Client{},
			fmt.Errorf("oauth: authority %q is not acceptable to MSAL", c.Authority)
	}
	return client, nil
}

// ErrMetadata is returned if MSAL sent no request, because it does not accept the metadata.
var ErrMetadata = errors.New("oauth: the tenant's metadata is not acceptable to MSAL")
