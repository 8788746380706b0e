// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"aadlogin/internal/foreign"
)

// ErrExpired is returned if nobody finished signing in while the code was good.
var ErrExpired = errors.New("oauth: the code has expired")

// ErrUnusable is returned if the authority answered with tokens, but without an ID token that MSAL
// can decode.
var ErrUnusable = errors.New("oauth: the token answer is not usable")

// An UnreachableError is returned if the authority did not answer, or not in OAuth.
type UnreachableError struct{ Err error }

func (e *UnreachableError) Error() string {
	return "oauth: authority unreachable: " + e.Err.Error()
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// An Error is an OAuth error response (RFC 6749, Section 5.2) with Entra ID's additions. Its
// strings are the server's, raw. Description is not part of the error's text, because it has names
// and several lines in it.
type Error struct {
	Status        int
	Code          string // "access_denied"; the only thing to branch on
	AADSTS        []int  // 50076: may choose a hint, but decides nothing
	CorrelationID string
	Description   string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("oauth: authority refused: %q", foreign.Clip(e.Code))
	for _, code := range e.AADSTS {
		text += fmt.Sprintf(" AADSTS%d", code)
	}
	return text
}

// Is makes the server's notice of expiry equal to our own.
func (e *Error) Is(target error) bool {
	return target == ErrExpired && e.Code == "expired_token"
}

// parseError reads an OAuth error. Only a 4xx or 5xx with a string "error" is one. Members of an
// unexpected type are left empty.
func parseError(got *Reply) (*Error, bool) {
	var doc map[string]json.RawMessage
	if got.Status < 400 || json.Unmarshal(got.Body, &doc) != nil {
		return nil, false
	}
	e := &Error{
		Status:        got.Status,
		Code:          text(doc["error"]),
		CorrelationID: text(doc["correlation_id"]),
		Description:   text(doc["error_description"]),
	}
	e.AADSTS = numbers(doc["error_codes"], e.Description)
	return e, e.Code != ""
}

var aadsts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^AADSTS([0-9]{4,9})\b`)
})

// numbers reads error_codes. Its elements are numbers or, from some authorities, text. Without
// them, the number is taken from the beginning of the description.
func numbers(raw json.RawMessage, description string) (all []int) {
	const most = 16
	var codes []json.RawMessage
	if json.Unmarshal(raw, &codes) != nil || len(codes) > most {
		codes = nil
	}
	for _, code := range codes {
		if n, err := strconv.Atoi(strings.Trim(string(code), `"`)); err == nil && n > 0 {
			all = append(all, n)
		}
	}
	if m := aadsts().FindStringSubmatch(description); m != nil && all == nil {
		n, _ := strconv.Atoi(m[1]) // nine digits fit
		all = append(all, n)
	}
	return all
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
