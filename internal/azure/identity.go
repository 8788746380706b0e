// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Bearer returns an access token for an Authorization header.
type Bearer func(context.Context) (string, error)

// An AccessToken belongs to the machine's managed identity. Formatting it prints nothing of it.
type AccessToken struct {
	Secret  string
	Expires time.Time
}

// Format keeps the secret out of logs, whatever the verb.
func (AccessToken) Format(f fmt.State, _ rune) { io.WriteString(f, "azure.AccessToken") }

// Token requests a token of the managed identity for resource, such as
// "https://management.azure.com/". An empty clientID is the system-assigned identity.
func (m *Metadata) Token(ctx context.Context, resource, clientID string) (AccessToken, error) {
	const op = IdentityToken
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {resource}}
	if clientID != "" {
		query.Set("client_id", clientID)
	}
	var doc struct {
		AccessToken string          `json:"access_token"`
		ExpiresIn   json.RawMessage `json:"expires_in"`
		TokenType   string          `json:"token_type"`
		ClientID    string          `json:"client_id"`
	}
	get := m.get
	if m.Arc {
		query.Set("api-version", arcVersion)
		get = m.getChallenged
	}
	if err := get(ctx, op, "/metadata/identity/oauth2/token", query, &doc); err != nil {
		return AccessToken{}, err
	}
	if doc.AccessToken == "" || !strings.EqualFold(doc.TokenType, "Bearer") {
		none := errors.New("answer holds no bearer token")
		return AccessToken{}, unreachable(op, fromNetwork{none})
	}
	// An agent of Azure Arc that knows only the machine's identity gives that one, whichever is
	// requested.
	if m.Arc && clientID != "" && !strings.EqualFold(doc.ClientID, clientID) {
		return AccessToken{}, fmt.Errorf(
			"azure: %s: the agent of Azure Arc gave another identity than %s", op, clientID)
	}
	lifetime, err := seconds(doc.ExpiresIn)
	if err != nil {
		return AccessToken{}, unreachable(op, fromNetwork{err})
	}
	return AccessToken{doc.AccessToken, m.now().Add(lifetime)}, nil
}

// Bearer returns a function that returns a token, and requests another one only when the last one
// nears its end. Tokens are kept in this process's memory and nowhere else.
func (m *Metadata) Bearer(resource, clientID string) Bearer {
	var mu sync.Mutex
	var held AccessToken
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if m.now().Add(time.Minute).Before(held.Expires) {
			return held.Secret, nil
		}
		token, err := m.Token(ctx, resource, clientID)
		if err != nil {
			return "", err
		}
		held = token
		return held.Secret, nil
	}
}

func (m *Metadata) now() time.Time {
	if m.Now == nil {
		return time.Now()
	}
	return m.Now()
}

// seconds reads a number, which the metadata service writes as a string.
func seconds(raw json.RawMessage) (time.Duration, error) {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
	if err != nil || n < 0 || n > 7*24*3600 {
		return 0, errors.New("expires_in is no plausible number of seconds")
	}
	return time.Duration(n) * time.Second, nil
}
