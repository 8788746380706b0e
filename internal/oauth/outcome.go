// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"aadlogin/internal/retry"
)

// An Outcome is the class of an answer to a request for tokens.
type Outcome int

const (
	Failed Outcome = iota // for good
	Issued                // tokens
	Outage                // not known yet
)

// Classify reads the answer to a request for tokens (RFC 6749, Section 5). It branches on the error
// member, and on the AADSTS numbers that mean an outage: Microsoft changes codes and descriptions.
func (c Client) Classify(got *Reply, err error) (Outcome, error) {
	if v := (*tls.CertificateVerificationError)(nil); errors.As(err, &v) {
		return Failed, &UnreachableError{err} // no retry makes a certificate good
	}
	if err != nil {
		return Outage, err
	}
	page := got.Foreign()
	switch {
	case page != nil && got.Status == http.StatusOK:
		return Outage, page // a portal may let people through meanwhile
	case page != nil:
		return Failed, &UnreachableError{page}
	case got.Status == http.StatusOK:
		return classifyTokens(got.Body)
	}
	refused, ok := parseError(got)
	switch {
	case ok && c.passing(refused):
		return Outage, refused
	case retry.Overloaded(got.Status):
		return Outage, fmt.Errorf("HTTP %d", got.Status)
	case !ok && got.Status == http.StatusBadRequest:
		return Outage, errors.New("HTTP 400 without an OAuth error") // half a body
	case !ok:
		return Failed, &UnreachableError{fmt.Errorf("HTTP %d without an OAuth error", got.Status)}
	default:
		return Failed, refused
	}
}

func classifyTokens(body []byte) (Outcome, error) {
	if !json.Valid(body) {
		return Outage, errors.New("HTTP 200 with half a body")
	}
	var tokens struct {
		ID     string `json:"id_token"`
		Access string `json:"access_token"`
	}
	if json.Unmarshal(body, &tokens) != nil || tokens.ID == "" || tokens.Access == "" {
		return Failed, ErrUnusable
	}
	return Issued, nil
}

// passing reports an outage that the authority reports in OAuth.
func (c Client) passing(e *Error) bool {
	return e.Code == "temporarily_unavailable" || e.Code == "server_error" || e.Has(c.Passing)
}

// Has reports whether the error has one of the numbers.
func (e *Error) Has(numbers []int) bool {
	return slices.ContainsFunc(e.AADSTS, func(n int) bool { return slices.Contains(numbers, n) })
}
