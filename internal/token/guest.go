// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"net/url"
	"strings"

	"aadlogin/internal/guid"
)

// NameIsVerified reports whether the directory behind PreferredUsername has proved that it owns the
// name's domain. For members of this tenant, and for guests with the #EXT# name that the tenant
// gave them, that is this tenant. For guests from another tenant it is that one. A personal
// Microsoft or Google account, or a code sent by mail (idp "live.com", "google.com", "mail"), has
// whatever address its owner once had: alice@contoso.com need not be Alice.
// https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
func (c *Claims) NameIsVerified() bool {
	name := strings.ToLower(c.PreferredUsername)
	if c.IdentityProvider == "" || strings.Contains(name, "#ext#@") {
		return true
	}
	u, err := url.Parse(c.IdentityProvider)
	if err != nil || u.Scheme != "https" {
		return false
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return guid.Is(tenant) && !strings.EqualFold(tenant, guid.Consumers)
}
