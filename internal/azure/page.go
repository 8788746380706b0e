// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"aadlogin/internal/foreign"
)

func (a *answer) foreign() error {
	if text := foreign.Page(a.status, a.header, a.body, a.host); text != "" {
		return errors.New(text)
	}
	return nil
}

// proxyRefuses explains the one refusal of a proxy that its administrator must cure: the
// configuration takes no password. Of other refusals net/http keeps only the proxy's text.
func proxyRefuses(_ context.Context, _ *url.URL, _ *http.Request, got *http.Response) error {
	if got.StatusCode == http.StatusProxyAuthRequired {
		return errors.New("azure: the proxy asks for a name and a password (HTTP 407), " +
			"which endpoints.proxy cannot hold: have it let this machine through without them")
	}
	return nil
}
