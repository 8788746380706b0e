// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"net/url"
	"strings"

	"aadlogin/internal/guid"
)

// NameIsVerified says whether a directory stands behind PreferredUsername that
// has shown its domain to be its own. That is this tenant for its members, and
// for guests under the name with #EXT# that it has given them; and the home
// tenant for guests from one. A personal Microsoft or Google account, or a
// code sent by mail (idp "live.com", "google.com", "mail"), carries whatever
// address its owner has once had: alice@contoso.com need not be Alice.
// https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
func (c *Claims) NameIsVerified() bool {
	if c.IdentityProvider == "" || strings.Contains(strings.ToLower(c.PreferredUsername), "#ext#@") {
		return true
	}
	u, err := url.Parse(c.IdentityProvider)
	if err != nil || u.Scheme != "https" {
		return false
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return guid.Is(tenant) && !strings.EqualFold(tenant, guid.Consumers)
}
