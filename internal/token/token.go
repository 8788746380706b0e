// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package token decides whether an ID token was issued by this tenant, for this application, and
// still holds, and about whom it is.
//
// Each link of the chain of trust is checked by a file of its own:
//
//	authority (configuration, TLS)
//	  └─ OpenID Connect metadata: issuer, endpoints     metadata.go
//	       └─ JSON Web Key Set: signing keys by kid     keys.go, jwks.go
//	            └─ ID token: RS256 signature, claims    verify.go, claims.go
//
// MSAL fetches the token but only decodes it: it returned tokens with "alg":"none", a foreign
// audience or a foreign tenant as success. So the raw token is verified here, with golang-jwt/v5:
// one algorithm, strict base64, the signature. Then code of our own compares every claim again.
// Forms that a library may accept (a member given twice, bytes that are not UTF-8, a lifetime of
// years) are refused before.
//
// Metadata and keys are kept on disk for a day, so that a sign-in needs one round trip before the
// prompt. That cache may be lost, but it is never trusted more than the network: what comes from it
// is checked like a new answer.
//
// An [InvalidError] says that the token is not acceptable, and [ErrUnreachable] that nobody could
// be asked. Callers must tell them apart: the first accuses a person, the second a network.
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

// maxAge is how long cached metadata and keys are used in place of the network's.
const maxAge = 24 * time.Hour

func (p Provider) cache() cache.Dir { return cache.Dir{Path: p.CacheDir, Now: p.Now} }

func (p Provider) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// ErrUnreachable is in the chain of every error that means that the authority did not answer, or
// answered without any document.
var ErrUnreachable = errors.New("unreachable")

// An InvalidError says which part of an ID token is not acceptable, and why.
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
