// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"time"
)

// A refusal is an error answer of Entra ID. RFC 6749, Section 5.2, and
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
type refusal struct {
	status int // 0: 400
	word   string
	aadsts int // 0: none
	text   string

	suberror, claims string
}

// A refusalBody is its JSON, in Entra ID's order.
type refusalBody struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
	URI           string `json:"error_uri,omitempty"`
	Suberror      string `json:"suberror,omitempty"`
	Claims        string `json:"claims,omitempty"`
}

func (x *exchange) refuse(e refusal) {
	x.noteError(e.word)
	b := e.body(x.now, x.correlation("client-request-id"))
	if e.status == 0 && (e.aadsts == 7000218 || e.aadsts == 700025) {
		e.status = http.StatusUnauthorized
	}
	x.Header().Set("x-ms-request-id", b.TraceID)
	x.json(orDefault(e.status, http.StatusBadRequest), b)
}

// body adds the members that every error answer has.
func (e refusal) body(now time.Time, correlation string) refusalBody {
	b := refusalBody{
		Error:         e.word,
		Codes:         []int{},
		Timestamp:     now.UTC().Format("2006-01-02 15:04:05Z"),
		TraceID:       newGUID(),
		CorrelationID: correlation,
		Suberror:      e.suberror,
		Claims:        e.claims,
	}
	if e.aadsts != 0 {
		b.Codes = []int{e.aadsts}
		b.URI = fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", e.aadsts)
		e.text = fmt.Sprintf("AADSTS%d: %s", e.aadsts, e.text)
	}
	b.Description = fmt.Sprintf("%s\r\nTrace ID: %s\r\nCorrelation ID: %s\r\nTimestamp: %s", e.text,
		b.TraceID, b.CorrelationID, b.Timestamp)
	return b
}

// formComplete reports whether the request is a POST with all of these fields. If not, it answers
// with the error.
func (x *exchange) formComplete(fields ...string) bool {
	if x.r.Method != http.MethodPost {
		x.refuse(refusal{word: "invalid_request", aadsts: 900561,
			text: fmt.Sprintf("The endpoint only accepts POST requests. Received a %s request.",
				x.r.Method)})
		return false
	}
	for _, f := range fields {
		if x.r.PostForm.Get(f) == "" {
			x.refuse(missing(f))
			return false
		}
	}
	return true
}

func missing(field string) refusal {
	return refusal{word: "invalid_request", aadsts: 900144,
		text: fmt.Sprintf("The request body must contain the following parameter: '%s'.", field)}
}

// clientKnown reports whether the client is registered here. If not, it answers with the error.
func (x *exchange) clientKnown() bool {
	no := x.dir.knowsClient(x.r.PostForm.Get("client_id"))
	if no != nil {
		x.refuse(*no)
	}
	return no == nil
}

func (d *Directory) knowsClient(id string) *refusal {
	if id == d.ClientID {
		return nil
	}
	return &refusal{word: "unauthorized_client", aadsts: 700016,
		text: fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.",
			id, d.TenantID)}
}

// noSecret is the text of error 7000218.
const noSecret = "The request body must contain the following parameter: 'client_assertion' or " +
	"'client_secret'."

// clientPublic reports whether the registration allows public client flows, since the machine asks
// for a token without a secret. If not, it answers with the error.
func (x *exchange) clientPublic() bool {
	if !x.dir.Registration.Confidential {
		return true
	}
	x.refuse(refusal{word: "invalid_client", aadsts: 7000218, text: noSecret})
	return false
}
