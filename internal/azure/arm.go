// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aadlogin/internal/foreign"
	"aadlogin/internal/retry"
)

// ARM asks Azure Resource Manager with the token that Bearer returns.
type ARM struct {
	Endpoint string       // base URL, https
	HTTP     *http.Client // from NewClient
	Bearer   Bearer
	Sleep    func(context.Context, time.Duration) error
}

// A Reply is a successful answer. CorrelationID is the server's, raw.
type Reply struct {
	Body          []byte
	CorrelationID string
}

// Get requests path, which starts with a slash and is not escaped yet.
func (a *ARM) Get(ctx context.Context, path string, query url.Values) (Reply, error) {
	target, err := a.url(path, query)
	if err != nil {
		return Reply{}, err
	}
	return a.call(ctx, http.MethodGet, target, nil)
}

// Follow requests the next page of a list from the link in an earlier answer. A link to another
// host would take the bearer token there, so it is refused.
func (a *ARM) Follow(ctx context.Context, nextLink string) (Reply, error) {
	home, err := a.base()
	if err != nil {
		return Reply{}, err
	}
	u, err := url.Parse(nextLink)
	if err != nil || u.Scheme != home.Scheme || !sameHost(u, home) || u.User != nil {
		return Reply{},
			fmt.Errorf("azure: resource manager: next link %q leads elsewhere", foreign.Clip(nextLink))
	}
	// a filter that is echoed has plain blanks
	u.RawQuery = strings.ReplaceAll(u.RawQuery, " ", "%20")
	return a.call(ctx, http.MethodGet, u.String(), nil)
}

// sameHost compares two hosts; a missing port is that of https.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) &&
		cmp.Or(a.Port(), "443") == cmp.Or(b.Port(), "443")
}

// Post sends in as JSON. Only questions are posted here, so a POST is tried again like a GET.
func (a *ARM) Post(ctx context.Context, path string, query url.Values, in any) (Reply, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return Reply{}, fmt.Errorf("azure: resource manager: %w", err)
	}
	target, err := a.url(path, query)
	if err != nil {
		return Reply{}, err
	}
	return a.call(ctx, http.MethodPost, target, body)
}

func (a *ARM) call(ctx context.Context, method, target string, body []byte) (Reply, error) {
	const op = ResourceManager
	token, err := a.Bearer(ctx)
	if err != nil {
		return Reply{}, err
	}
	got, err := a.retrier().ask(ctx, func() (*http.Request, error) {
		return armRequest(method, target, token, body)
	})
	if err != nil {
		return Reply{}, unreachable(op, err)
	}
	if got.status != http.StatusOK {
		refused := parseError(op, got)
		// A proxy may answer with a page about the request.
		refused.Code = strings.ReplaceAll(refused.Code, token, "…")
		refused.Message = strings.ReplaceAll(refused.Message, token, "…")
		return Reply{}, refused
	}
	if err := got.foreign(); err != nil {
		return Reply{}, unreachable(op, err)
	}
	return Reply{got.body, correlationID(got.header)}, nil
}

func armRequest(method, target, token string, body []byte) (*http.Request, error) {
	req, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("azure: resource manager: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// base refuses a plain-text endpoint: the bearer token would cross the network readable.
func (a *ARM) base() (*url.URL, error) {
	u, err := url.Parse(a.Endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("azure: resource manager: %q is not an https URL", a.Endpoint)
	}
	return u, nil
}

func (a *ARM) url(path string, query url.Values) (string, error) {
	u, err := a.base()
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(path, "/") {
		return "", errors.New("azure: resource manager: path without leading slash")
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	// A plus is a space in a form (WHATWG URL), and may be a plus in an OData filter.
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return u.String(), nil
}

func (a *ARM) retrier() retrier {
	r := retrier{client: a.HTTP, patience: armPatience, sleep: a.Sleep}
	if r.sleep == nil {
		r.sleep = retry.Sleep
	}
	return r
}

// armPatience tries three times: a person has just signed in with a browser, and a passing 503 must
// not make them do it again.
func armPatience(status, tries int, _ time.Duration) (time.Duration, bool) {
	transient := status == 0 || status == http.StatusTooManyRequests || status >= 500
	return backOff(tries), transient && tries < 3
}
