// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"aadlogin/internal/foreign"
	"aadlogin/internal/retry"
)

// maxDocument bounds metadata and key sets; honest ones have 2 and 20 KiB.
const maxDocument = 1 << 20

// A RefusedError is returned if the authority answered with an OAuth error (RFC 6749, Section 5.2)
// instead of the document, mostly because of an unknown tenant. Its strings are the server's, raw.
type RefusedError struct {
	Document    string // ours: "OpenID metadata", "signing keys"
	Status      int
	Code        string
	Description string
	AADSTS      []int
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("token: %s: HTTP %d: %q %v",
		e.Document, e.Status, foreign.Clip(e.Code), e.AADSTS)
}

// A DocumentError is returned for a document that this tenant's authority would not publish.
type DocumentError struct {
	Document string
	Problem  string // server text in it is quoted
}

func (e *DocumentError) Error() string {
	return "token: " + e.Document + ": " + e.Problem
}

func unreachable(document string, cause error) error {
	return fmt.Errorf("token: %s: %w: %w", document, ErrUnreachable, cause)
}

// fetch requests a document from the network.
func (p Provider) fetch(ctx context.Context, document, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("token: %s: %w", document, err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := p.HTTP.Do(req)
	if err != nil {
		return nil, unreachable(document, foreign.Quiet(req, err))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, unreachable(document, foreign.Quiet(req, err))
	case len(body) > maxDocument:
		return nil, unreachable(document, fmt.Errorf("answer larger than %d bytes", maxDocument))
	}
	if page := foreign.Page(resp.StatusCode, resp.Header, body, req.URL.Host); page != "" {
		return nil, unreachable(document, errors.New(page))
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return body, nil
	default:
		return nil, refusal(document, resp.StatusCode, body)
	}
}

// refusal tells a refusal from an outage. Only a 4xx with an OAuth error is a refusal; a proxy's
// error page is an outage.
func refusal(document string, status int, body []byte) error {
	var doc struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
	}
	if retry.Overloaded(status) || json.Unmarshal(body, &doc) != nil || doc.Error == "" {
		return unreachable(document, fmt.Errorf("HTTP %d", status))
	}
	return &RefusedError{document, status, doc.Error, doc.Description, doc.Codes}
}
