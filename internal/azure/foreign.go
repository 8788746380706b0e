// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
)

// Foreign says who answered, if it was a page for people: the services asked
// here answer in JSON, and what stands before them in a network does not. It
// returns "" for JSON, whatever its header says, for anything else, and for a
// 5xx: the services' own front doors send pages with those.
func Foreign(status int, header http.Header, body []byte, host string) string {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	if kind != "text/html" || status >= http.StatusInternalServerError || json.Valid(bytes.TrimPrefix(body, []byte("\ufeff"))) {
		return ""
	}
	return fmt.Sprintf("a proxy or portal answered in Azure's place: %d text/html from %s", status, host)
}

func (a *answer) foreign() error {
	if text := Foreign(a.status, a.header, a.body, a.host); text != "" {
		return errors.New(text)
	}
	return nil
}

// proxyRefuses names the one refusal of a proxy that its address cures. All
// that net/http keeps of others is text of the proxy's.
func proxyRefuses(_ context.Context, _ *url.URL, _ *http.Request, got *http.Response) error {
	if got.StatusCode == http.StatusProxyAuthRequired {
		return errors.New("azure: the proxy asks for a name and a password (HTTP 407): put them into endpoints.proxy, as in http://NAME:PASSWORD@HOST:PORT")
	}
	return nil
}
