// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrExpired says that nobody finished signing in while the code was good.
var ErrExpired = errors.New("devicecode: the code has expired")

// ErrUnusable says that the authority granted something without an ID token
// that MSAL can decode.
var ErrUnusable = errors.New("devicecode: the token answer is not usable")

// An UnreachableError says that the authority did not answer, or not in
// OAuth.
type UnreachableError struct{ Err error }

func (e *UnreachableError) Error() string {
	return "devicecode: authority unreachable: " + e.Err.Error()
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// An Error is an OAuth error response (RFC 6749, Section 5.2) with Entra ID's
// additions. Its strings are the server's, raw; Description is not part of
// the error's text, because it holds names and lines of its own.
type Error struct {
	Status        int
	Code          string // "access_denied"; the only thing to branch on
	AADSTS        []int  // 50076: may choose a hint, never a decision
	CorrelationID string
	Description   string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("devicecode: authority refused: %q", clip(e.Code))
	for _, code := range e.AADSTS {
		text += fmt.Sprintf(" AADSTS%d", code)
	}
	return text
}

// Is makes the server's notice of expiry the same as our own.
func (e *Error) Is(target error) bool {
	return target == ErrExpired && e.Code == "expired_token"
}

// clip keeps a server from filling the log with one word.
func clip(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// refusal is the error of an answer that should have been a code.
func refusal(got *reply) error {
	refused, ok := parseError(got)
	switch {
	case ok && refused.passing():
		return &UnreachableError{refused}
	case !ok || overloaded(got.status):
		return &UnreachableError{fmt.Errorf("HTTP %d", got.status)}
	default:
		return refused
	}
}

// passing reports an outage told in OAuth.
func (e *Error) passing() bool {
	return e.Code == "temporarily_unavailable" || e.Code == "server_error"
}

// reconsider turns a refusal into an outage, or into a request to ask less often, if one of its numbers says so.
func (r Request) reconsider(v verdict, err error) (verdict, error) {
	refused, ok := err.(*Error)
	if v != failed || !ok {
		return v, err
	}
	has := func(numbers []int) bool {
		return slices.ContainsFunc(refused.AADSTS, func(n int) bool { return slices.Contains(numbers, n) })
	}
	switch {
	case has(r.Slower):
		return slower, err
	case has(r.Passing):
		return outage, err
	}
	return v, err
}

// overloaded: whatever a server in this state or a proxy before it says, it
// has not judged the request.
func overloaded(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500
}

// parseError reads an OAuth error. Only a 4xx with a string "error" is one;
// members of another type than expected are left empty.
func parseError(got *reply) (*Error, bool) {
	var doc map[string]json.RawMessage
	if got.status < 400 || json.Unmarshal(got.body, &doc) != nil {
		return nil, false
	}
	e := &Error{
		Status:        got.status,
		Code:          text(doc["error"]),
		CorrelationID: text(doc["correlation_id"]),
		Description:   text(doc["error_description"]),
	}
	e.AADSTS = numbers(doc["error_codes"], e.Description)
	return e, e.Code != ""
}

var aadsts = regexp.MustCompile(`^AADSTS([0-9]{4,9})\b`)

// numbers reads error_codes, whose elements are numbers or, from some authorities, text. Without them, the description begins
// with one.
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
	if m := aadsts.FindStringSubmatch(description); m != nil && all == nil {
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
