// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"aadlogin/internal/foreign"
	"aadlogin/internal/guid"
)

// TenantOf asks the authority which tenant a domain belongs to. The answer is in the issuer of the
// metadata that the authority has under the domain's name.
//
// Errors: *[RefusedError], no tenant has that domain; *[DocumentError]; an outage.
func (p Provider) TenantOf(
	ctx context.Context, authority, domain string,
) (tenant string, err error) {
	base, err := checkBase(authority)
	if err != nil {
		return "", err
	}
	body, err := p.fetch(ctx, metadataDocument,
		base.String()+"/"+url.PathEscape(domain)+"/v2.0/.well-known/openid-configuration")
	if err != nil {
		return "", err
	}
	return issuersTenant(body)
}

func issuersTenant(body []byte) (string, error) {
	var doc struct {
		Issuer string `json:"issuer"`
	}
	if err := foreign.Decode(body, &doc); err != nil {
		return "", &DocumentError{metadataDocument, err.Error()}
	}
	if u, err := url.Parse(doc.Issuer); err == nil {
		for _, segment := range strings.Split(strings.ToLower(u.Path), "/") {
			if guid.Is(segment) {
				return segment, nil
			}
		}
	}
	return "", &DocumentError{metadataDocument,
		fmt.Sprintf("issuer %q names no tenant", foreign.Clip(doc.Issuer))}
}
