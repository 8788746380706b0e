// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package token decides whether an ID token was issued by this tenant, for
// this application, about whom, and that it still holds.
//
// The chain of trust, each link checked by its own file:
//
//	authority (configuration, TLS)
//	  └─ OpenID Connect metadata: issuer, endpoints     metadata.go
//	       └─ JSON Web Key Set: signing keys by kid     keys.go, jwks.go
//	            └─ ID token: RS256 signature, claims    verify.go, claims.go
//
// MSAL, which fetches the token, only decodes it: it returned tokens with
// "alg":"none", a foreign audience or a foreign tenant as success. So the raw
// token is verified here, with golang-jwt/v5: one algorithm, strict base64,
// the signature. Every claim is then compared again by code of our own, and
// forms a library may be lenient about (a member given twice, bytes that are
// not UTF-8, a lifetime of years) are refused beforehand.
//
// Metadata and keys are kept on disk for a day, so that a sign-in costs one
// round trip before the prompt. That cache can only be lost, never believed
// more than the network: what it gives is validated like a fresh answer.
//
// An [InvalidError] says the token is not acceptable, [ErrUnreachable] that
// nobody could be asked. Callers must not confuse the two: the first accuses
// a person, the second a network.
package token

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"aadlogin/internal/cache"
)

// A Provider fetches a tenant's metadata and signing keys, or reads them from the cache.
type Provider struct {
	HTTP     *http.Client
	CacheDir string // "" means no cache
	Now      func() time.Time
}

// maxAge is how long metadata and keys stand in for the network.
const maxAge = 24 * time.Hour

func (p Provider) cache() cache.Dir { return cache.Dir{Path: p.CacheDir, Now: p.Now} }

func (p Provider) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// ErrUnreachable is in the chain of every error that means the authority did
// not answer, or not with a document at all.
var ErrUnreachable = errors.New("unreachable")

// An InvalidError says which part of an ID token is not acceptable and why.
type InvalidError struct {
	Part    string // "form", "signature", "kid" or the claim's name
	Problem string // server text in it is quoted
}

func (e *InvalidError) Error() string {
	return "token: ID token: " + e.Part + ": " + e.Problem
}

func invalid(part, format string, args ...any) error {
	return &InvalidError{part, fmt.Sprintf(format, args...)}
}
