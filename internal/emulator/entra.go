// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Entra returns the handler of Entra ID and Azure Resource Manager. URLs and the issuer in its
// answers follow the request's Host, so that it works under any address.
func (s *Server) Entra() http.Handler {
	s.setUp()
	mux := http.NewServeMux()
	mux.Handle("GET /{tenant}/v2.0/.well-known/openid-configuration",
		s.handle("openid", (*exchange).openID))
	mux.Handle("GET /{tenant}/discovery/v2.0/keys", s.handle("keys", (*exchange).publishKeys))
	mux.Handle("/{tenant}/oauth2/v2.0/devicecode", s.handle("devicecode", (*exchange).deviceCode))
	mux.Handle("/{tenant}/oauth2/v2.0/authorize", http.NewCrossOriginProtection().
		Handler(s.handle("authorize", (*exchange).authorize)))
	mux.Handle("/{tenant}/oauth2/v2.0/token", s.handle("token", (*exchange).token))
	mux.Handle("/", s.armHandler())
	return mux
}

// base returns the scheme and host that the client used.
func (x *exchange) base() string { return "https://" + x.r.Host }

// issuer returns the value of iss, which is the same in the metadata and in tokens.
func (x *exchange) issuer() string { return x.base() + "/" + x.dir.TenantID + "/v2.0" }

// tenantKnown reports whether the URL names this tenant. If not, it answers with the error.
func (x *exchange) tenantKnown() bool {
	no := x.dir.isTenant(x.r.PathValue("tenant"))
	if no != nil {
		x.refuse(*no)
	}
	return no == nil
}

func (d *Directory) isTenant(name string) *refusal {
	known := func(ours string) bool { return strings.EqualFold(ours, name) }
	if known(d.TenantID) || slices.ContainsFunc(d.Domains, known) || name == "organizations" ||
		name == "common" {
		return nil
	}
	return &refusal{word: "invalid_tenant", aadsts: 90002,
		text: fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant "+
			"ID and are signing into the correct cloud.", name)}
}

// openID answers OpenID Connect Discovery 1.0, Section 4.
func (x *exchange) openID() {
	id, elsewhere := x.dir.Elsewhere[strings.ToLower(x.r.PathValue("tenant"))]
	if !elsewhere {
		id = x.dir.TenantID
		if !x.tenantKnown() {
			return
		}
	}
	t := x.base() + "/" + id
	issuer := t + "/v2.0"
	if p := x.r.PathValue("tenant"); p == "organizations" || p == "common" {
		issuer = x.base() + "/{tenantid}/v2.0"
		t = x.base() + "/" + p
	}
	mine, _ := x.clouds()
	region := any("EU")
	mtls := id
	if p := x.r.PathValue("tenant"); p == "organizations" || p == "common" {
		region, mtls = nil, p
	}
	x.json(http.StatusOK, map[string]any{
		"issuer":                        issuer,
		"authorization_endpoint":        t + "/oauth2/v2.0/authorize",
		"token_endpoint":                t + "/oauth2/v2.0/token",
		"device_authorization_endpoint": t + "/oauth2/v2.0/devicecode",
		"jwks_uri":                      t + "/discovery/v2.0/keys",
		"end_session_endpoint":          t + "/oauth2/v2.0/logout",
		"kerberos_endpoint":             t + "/kerberos",
		"mtls_endpoint_aliases":         map[string]string{"token_endpoint": "https://mtlsauth.microsoft.com/" + mtls + "/oauth2/v2.0/token"},
		"tls_client_certificate_bound_access_tokens": true,
		"userinfo_endpoint":                          "https://graph.microsoft.com/oidc/userinfo",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post",
			"private_key_jwt", "client_secret_basic"},
		"response_modes_supported": []string{"query", "fragment", "form_post"},
		"response_types_supported": []string{"code", "id_token",
			"code id_token", "id_token token"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported": []string{"openid", "profile",
			"email", "offline_access"},
		"claims_supported": []string{"sub", "iss", "cloud_instance_name",
			"cloud_instance_host_name", "cloud_graph_host_name", "msgraph_host", "aud", "exp",
			"iat", "auth_time", "acr", "nonce", "preferred_username", "name", "tid", "ver",
			"at_hash", "c_hash", "email"},
		"request_uri_parameter_supported": false,
		"http_logout_supported":           true,
		"frontchannel_logout_supported":   true,
		"tenant_region_scope":             region,
		"cloud_instance_name":             mine,
		"cloud_graph_host_name":           "graph.windows.net",
		"msgraph_host":                    "graph.microsoft.com",
		"rbac_url":                        "https://pas.windows.net",
	})
}
