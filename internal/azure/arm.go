// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// ARM asks Azure Resource Manager in the name of whoever Bearer speaks for.
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

// Get asks for path, which starts with a slash and is not yet escaped.
func (a *ARM) Get(ctx context.Context, path string, query url.Values) (Reply, error) {
	return a.call(ctx, http.MethodGet, path, query, nil)
}

// Post sends in as JSON. Only questions are posted here, so it is retried
// like a GET.
func (a *ARM) Post(ctx context.Context, path string, query url.Values, in any) (Reply, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return Reply{}, fmt.Errorf("azure: resource manager: %w", err)
	}
	return a.call(ctx, http.MethodPost, path, query, body)
}

func (a *ARM) call(ctx context.Context, method, path string, query url.Values, body []byte) (Reply, error) {
	const op = "resource manager"
	u, err := a.url(path, query)
	if err != nil {
		return Reply{}, err
	}
	token, err := a.Bearer(ctx)
	if err != nil {
		return Reply{}, err
	}
	got, err := a.asker().ask(ctx, func() (*http.Request, error) {
		return armRequest(method, u, token, body)
	})
	if err != nil {
		return Reply{}, unreachable(op, err)
	}
	if got.status != http.StatusOK {
		return Reply{}, parseError(op, got)
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

// url refuses a plain-text endpoint: the bearer token would cross the network
// readable.
func (a *ARM) url(path string, query url.Values) (string, error) {
	u, err := url.Parse(a.Endpoint)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("azure: resource manager: %q is not an https URL", a.Endpoint)
	}
	if !strings.HasPrefix(path, "/") {
		return "", errors.New("azure: resource manager: path without leading slash")
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = query.Encode()
	return u.String(), nil
}

func (a *ARM) asker() asker {
	k := asker{a.HTTP, armPatience, a.Sleep}
	if k.sleep == nil {
		k.sleep = sleep
	}
	return k
}

// armPatience: a person has just signed in with a browser, and a passing 503
// must not make them do it again.
func armPatience(status, tries int, _ time.Duration) (time.Duration, bool) {
	transient := status == 0 || status == http.StatusTooManyRequests || status >= 500
	return backOff(tries), transient && tries < 3
}
