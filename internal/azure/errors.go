// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"aadlogin/internal/foreign"
)

// ErrUnreachable is in the chain of every error that means that nobody answered the question. An
// answer that refuses is not such an error.
var ErrUnreachable = errors.New("unreachable")

// The values of Op say what was requested from which service.
const (
	ResourceManager = "resource manager"
	MachineMetadata = "metadata" // about this machine
	IdentityToken   = "managed identity token"
)

// An Error is an answer of the metadata service or of Resource Manager that refuses. Its strings
// are the server's, raw.
type Error struct {
	Op            string // one of the constants above
	Status        int    // HTTP status
	Code          string
	Message       string
	CorrelationID string

	page bool // a page for people: the service itself has not answered
}

func (e *Error) Error() string {
	return fmt.Sprintf("azure: %s: HTTP %d: %q: %q",
		e.Op, e.Status, foreign.Clip(e.Code), foreign.Clip(e.Message))
}

// Is makes an overloaded or broken server count as unreachable.
func (e *Error) Is(target error) bool {
	return target == ErrUnreachable && (e.Status == http.StatusTooManyRequests || e.Status >= 500)
}

// UnknownVersion reports whether a metadata service refused the api-version of the request. The
// message lists the versions that it knows.
func (e *Error) UnknownVersion() bool {
	said := strings.ToLower(e.Code + e.Message)
	return strings.Contains(said, "api-version") || strings.Contains(said, "invalid version")
}

// SeveralIdentities reports whether the machine has several managed identities and the request
// names none of them.
func (e *Error) SeveralIdentities() bool {
	return e.Op == IdentityToken && strings.Contains(e.Message, "Multiple user assigned identities")
}

// Forbidden reports whether this process may not ask the metadata service. Where Azure's Metadata
// Security Protocol is enforced, a proxy on the machine answers in the service's place. Its rules
// are about the process that asks: its user, group, name and executable.
// https://learn.microsoft.com/azure/virtual-machines/metadata-security-protocol/overview
func (e *Error) Forbidden() bool {
	return e.Op != ResourceManager && e.Status == http.StatusForbidden && !e.page
}

// Updating reports whether a metadata service seems to be replaced just now. Microsoft's guidance
// names 404 and 410 for that.
func (e *Error) Updating() bool {
	return (e.Status == http.StatusNotFound || e.Status == http.StatusGone) && !e.UnknownVersion()
}

// outage is an error without an answer. Its text must not hold a token.
type outage struct {
	op  string
	err error
}

func (e *outage) Error() string {
	return fmt.Sprintf("azure: %s: %v: %v", e.op, ErrUnreachable, e.err)
}
func (e *outage) Unwrap() []error { return []error{ErrUnreachable, e.err} }

func unreachable(op string, err error) error { return &outage{op, err} }

// Op returns what was requested when err happened, as in [Error.Op], or "".
func Op(err error) string {
	var out *outage
	var answered *Error
	switch {
	case errors.As(err, &answered):
		return answered.Op
	case errors.As(err, &out):
		return out.op
	}
	return ""
}

// parseError reads every form of error document: Resource Manager's {"error":{"code","message"}},
// the same without the outer object, with names in either case, or with a status instead of the
// code; and OAuth's {"error","error_description"} (RFC 6749, Section 5.2). The metadata service
// uses the last, and adds the versions that it knows if the version is the problem. For a page for
// people the message says which host sent it. For any other body, Code and Message are empty.
func parseError(op string, r *answer) *Error {
	e := &Error{Op: op, Status: r.status, CorrelationID: correlationID(r.header)}
	if err := r.foreign(); err != nil {
		e.Message, e.page = err.Error(), true
		return e
	}
	var doc struct {
		plainError
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
		Versions    []string        `json:"newest-versions"`
	}
	if json.Unmarshal(bytes.TrimPrefix(r.body, []byte("\ufeff")), &doc) != nil {
		return e
	}
	var nested plainError
	switch {
	case json.Unmarshal(doc.Error, &nested) == nil:
		e.Code, e.Message = nested.code(), nested.Message
	case json.Unmarshal(doc.Error, &e.Code) == nil:
		e.Message = doc.Description
	default:
		e.Code, e.Message = doc.code(), doc.Message
	}
	if len(doc.Versions) > 0 {
		newest := " Newest versions: " + strings.Join(doc.Versions, " ")
		e.Message = strings.TrimSpace(e.Message + newest)
	}
	return e
}

// plainError is a code and a message. encoding/json accepts their names in any case.
type plainError struct {
	Code       json.RawMessage `json:"code"`
	StatusCode json.RawMessage `json:"statusCode"`
	Message    string          `json:"message"`
}

// code returns the code, which is text or a number.
func (p plainError) code() string {
	for _, raw := range []json.RawMessage{p.Code, p.StatusCode} {
		var text string
		var number json.Number
		switch {
		case json.Unmarshal(raw, &text) == nil && text != "":
			return text
		case json.Unmarshal(raw, &number) == nil && number != "":
			return number.String()
		}
	}
	return ""
}

// correlationID returns the id under which Microsoft's support finds a request.
func correlationID(h http.Header) string {
	if id := h.Get("x-ms-correlation-request-id"); id != "" {
		return id
	}
	return h.Get("x-ms-request-id")
}
