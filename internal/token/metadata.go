// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"aadlogin/internal/foreign"
	"aadlogin/internal/guid"
)

const metadataDocument = "OpenID metadata"

// Metadata is a tenant's OpenID Provider Configuration (OpenID Connect Discovery 1.0, Section 3;
// RFC 8628, Section 4).
type Metadata struct {
	TenantID                    string // lower case
	Issuer                      string
	AuthorizationEndpoint       string
	TokenEndpoint               string
	DeviceAuthorizationEndpoint string
	JWKSURI                     string
	Raw                         []byte // the document as served

	cloud string // "microsoftonline.com"; "" if it names none
}

// Discover returns the metadata of tenant at authority, a base URL such as
// "https://login.microsoftonline.com".
//
// Errors: [ErrUnreachable]; *[RefusedError], an unknown tenant; *[DocumentError].
func (p Provider) Discover(ctx context.Context, authority, tenant string) (*Metadata, error) {
	base, tenant, err := checkAuthority(authority, tenant)
	if err != nil {
		return nil, err
	}
	location := base.String() + "/" + tenant + "/v2.0/.well-known/openid-configuration"
	if body, _, ok := p.cache().Get(location, maxAge); ok {
		if m, err := parseMetadata(body, base.Host, tenant); err == nil {
			return m, nil
		}
	}
	body, err := p.fetch(ctx, metadataDocument, location)
	if err != nil {
		return nil, err
	}
	m, err := parseMetadata(body, base.Host, tenant)
	if err != nil {
		return nil, err
	}
	p.cache().Put(location, body)
	return m, nil
}

// checkBase makes sure that TLS protects everything that follows.
func checkBase(authority string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(authority, "/"))
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("token: authority %q is not an https base URL",
			foreign.Clip(authority))
	}
	return u, nil
}

func checkAuthority(authority, tenant string) (*url.URL, string, error) {
	u, err := checkBase(authority)
	if err != nil {
		return nil, "", err
	}
	tenant = strings.ToLower(tenant)
	if !guid.Is(tenant) {
		return nil, "", fmt.Errorf("token: tenant %q is not a GUID", foreign.Clip(tenant))
	}
	if tenant == guid.Consumers {
		return nil, "", fmt.Errorf("token: tenant %s holds personal accounts and is "+
			"not accepted", tenant)
	}
	return u, tenant, nil
}

// parseMetadata accepts a document only if it is about tenant and all its endpoints are on host.
func parseMetadata(body []byte, host, tenant string) (*Metadata, error) {
	var doc struct {
		Issuer        string `json:"issuer"`
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
		Device        string `json:"device_authorization_endpoint"`
		JWKS          string `json:"jwks_uri"`

		Cloud json.RawMessage `json:"cloud_instance_name"`
	}
	if !json.Valid(body) {
		return nil, unreachable(metadataDocument, fmt.Errorf("answer is not JSON"))
	}
	if err := foreign.Decode(body, &doc); err != nil {
		return nil, &DocumentError{metadataDocument, err.Error()}
	}
	issuer := fillTenant(doc.Issuer, tenant)
	if err := checkIssuer(issuer, tenant); err != nil {
		return nil, err
	}
	for name, endpoint := range map[string]string{
		"authorization_endpoint":        doc.Authorization,
		"token_endpoint":                doc.Token,
		"device_authorization_endpoint": doc.Device,
		"jwks_uri":                      doc.JWKS,
	} {
		if err := checkEndpoint(name, endpoint, host); err != nil {
			return nil, err
		}
	}
	return &Metadata{
		tenant, issuer, doc.Authorization, doc.Token, doc.Device, doc.JWKS,
		body, cloudName(doc.Cloud),
	}, nil
}

// fillTenant fills in the template that multi-tenant documents and keys use.
func fillTenant(template, tenant string) string {
	return strings.ReplaceAll(template, "{tenantid}", tenant)
}

// checkIssuer requires the tenant as a segment of the issuer's path. It does not compare the
// issuer's host: that is only a name, and some clouds use another one than their login host.
func checkIssuer(issuer, tenant string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return &DocumentError{metadataDocument,
			fmt.Sprintf("issuer %q is not an https URL", foreign.Clip(issuer))}
	}
	if !slices.Contains(strings.Split(strings.ToLower(u.Path), "/"), tenant) {
		return &DocumentError{metadataDocument,
			fmt.Sprintf("issuer %q is not of tenant %s", foreign.Clip(issuer), tenant)}
	}
	return nil
}

// checkEndpoint keeps every request on the host that the administrator configured. If asked about a
// tenant of another cloud, Entra ID answers with that cloud's endpoints; using them silently would
// hide a wrong configuration.
func checkEndpoint(name, endpoint, host string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return &DocumentError{metadataDocument,
			fmt.Sprintf("%s %q is not an https URL", name, foreign.Clip(endpoint))}
	}
	if !strings.EqualFold(u.Host, host) {
		return &DocumentError{metadataDocument,
			fmt.Sprintf("%s is on %q, not on the configured authority %s",
				name, foreign.Clip(u.Host), host)}
	}
	return nil
}
