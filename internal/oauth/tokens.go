// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Tokens are what a person's sign-in yields. Formatting them prints nothing.
type Tokens struct {
	IDToken     string
	AccessToken string // empty unless the request wants it
	Scope       string // as the server spells it; empty: all that was requested
}

// Format keeps the tokens out of logs, whatever the verb.
func (Tokens) Format(f fmt.State, _ rune) { io.WriteString(f, "oauth.Tokens") }

// HasScope reports whether the answer is good for scope. An empty list means what was requested
// (RFC 6749, Section 5.1). Only the names after the last slash are compared, without case: Entra ID
// may answer for <client id>/sign-in with api://<client id>/sign-in or with sign-in alone, and one
// answer is about one resource only.
func (t Tokens) HasScope(scope string) bool {
	granted := strings.Fields(t.Scope)
	for _, g := range granted {
		if strings.EqualFold(lastSegment(g), lastSegment(scope)) {
			return true
		}
	}
	return len(granted) == 0
}

func lastSegment(scope string) string { return scope[strings.LastIndexByte(scope, '/')+1:] }

// Accept takes from a token answer what the request wants and leaves the rest: an access token that
// nobody needs goes no further, and a refresh token never does. It also returns the answer as MSAL
// gets it. MSAL insists on an access token, and compares scopes letter for letter, so it is shown
// none.
func (c Client) Accept(body []byte) (tokens *Tokens, msal []byte, err error) {
	var answer struct {
		ID     string `json:"id_token"`
		Access string `json:"access_token"`
		Scope  string `json:"scope"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.ID == "" || answer.Access == "" {
		return nil, nil, ErrUnusable
	}
	tokens = &Tokens{IDToken: answer.ID, Scope: answer.Scope}
	if c.AccessToken {
		tokens.AccessToken = answer.Access
		for _, scope := range c.Scopes {
			if !tokens.HasScope(scope) {
				return nil, nil, fmt.Errorf("%w: the scope %q was not granted", ErrUnusable, scope)
			}
		}
	}
	msal, err = json.Marshal(map[string]any{
		"token_type": "Bearer", "id_token": answer.ID, "access_token": "dropped", "expires_in": 1,
	})
	return tokens, msal, err
}
