// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"aadlogin/internal/foreign"

	"github.com/golang-jwt/jwt/v5"
)

const (
	maxToken = 64 << 10
	maxKeyID = 256
	leeway   = 2 * time.Minute // between the authority's clock and ours
)

// A Verifier accepts the ID tokens of one tenant for one application.
type Verifier struct {
	ClientID string
	TenantID string
	Issuer   string // from Metadata
	Nonce    string // that the token must have; "": its request had none
	Keys     *Keys
	Now      func() time.Time
}

// Verify returns the token's claims once every check has passed.
//
// Errors: *[InvalidError], the token is not acceptable; [ErrUnreachable], *[RefusedError] or
// *[DocumentError], the keys could not be had.
func (v *Verifier) Verify(ctx context.Context, raw string) (*Claims, error) {
	if err := checkForm(raw); err != nil {
		return nil, err
	}
	claims, err := v.signed(ctx, raw)
	if err != nil {
		return nil, err
	}
	return v.read(claims)
}

// header is the part of a JOSE header that matters here. RFC 7515, Section 4.1: keys that the token
// itself offers (jwk, jku, x5u, x5c) are ignored.
type header struct {
	Algorithm string          `json:"alg"`
	Type      string          `json:"typ"`
	KeyID     string          `json:"kid"`
	Critical  json.RawMessage `json:"crit"` // nil only if it is missing: null is no list either
	Encoded   json.RawMessage `json:"b64"`
}

// checkForm refuses malformed tokens before any parser sees them and before any key is fetched for
// them.
func checkForm(raw string) error {
	if len(raw) > maxToken {
		return invalid("form", "larger than %d bytes", maxToken)
	}
	// encoding/base64 skips line breaks even in strict mode, so one token would have many
	// spellings.
	if strings.ContainsAny(raw, "\r\n") {
		return invalid("form", "a line break")
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return invalid("form", "%d parts instead of 3", len(parts))
	}
	var h header
	head := func(text []byte) error { return foreign.Decode(text, &h) }
	if err := decodePart(parts[0], head); err != nil {
		return invalid("form", "header: %v", err)
	}
	claims := func(text []byte) error {
		return foreign.DecodeNamed(text, &map[string]any{}, claimsRead...)
	}
	if err := decodePart(parts[1], claims); err != nil {
		return invalid("form", "claims: %v", err)
	}
	return h.check()
}

func (h header) check() error {
	switch {
	case h.Algorithm != "RS256":
		// "none" and HMAC with the public key as its secret (RFC 8725, Section 2.1).
		return invalid("alg", "%q instead of RS256", foreign.Clip(h.Algorithm))
	case h.Type != "" && !strings.EqualFold(h.Type, "JWT"):
		// Another kind of token of the same issuer (RFC 8725, Section 3.11).
		return invalid("typ", "%q instead of JWT", foreign.Clip(h.Type))
	case h.KeyID == "" || len(h.KeyID) > maxKeyID:
		return invalid("kid", "missing or over-long")
	case h.Critical != nil || h.Encoded != nil:
		// RFC 7515, Section 4.1.11: not understood means invalid.
		return invalid("crit", "extensions are not understood")
	default:
		return nil
	}
}

// claimsRead are the names of the claims that decide anything: no other claim may be taken for one
// of them. A tenant's own claims may have names that differ only in case.
var claimsRead = []string{
	"iss", "aud", "ver", "azp", "exp", "iat", "nbf", "tid", "oid",
	"preferred_username", "upn", "name", "uti", "idp",
	"roles", "groups", "_claim_names", "hasgroups", "nonce",
}

func decodePart(part string, decode func([]byte) error) error {
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return errors.New("not base64url")
	}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		return errors.New("not JSON")
	}
	return decode(text)
}

// signed verifies signature and validity with golang-jwt.
func (v *Verifier) signed(ctx context.Context, raw string) (jwt.MapClaims, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"RS256"}),
		jwt.WithStrictDecoding(),
		jwt.WithJSONNumber(),
		jwt.WithTimeFunc(v.now),
		jwt.WithLeeway(leeway),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithIssuer(v.Issuer),
		jwt.WithAudience(v.ClientID),
	)
	var noKey error
	claims := make(jwt.MapClaims)
	token, err := parser.ParseWithClaims(raw, claims, func(t *jwt.Token) (any, error) {
		id, _ := t.Header["kid"].(string)
		key, err := v.Keys.key(ctx, id)
		noKey = err
		return key, err
	})
	switch {
	case noKey != nil:
		return nil, noKey
	case err != nil:
		return nil, explain(err)
	case !token.Valid:
		return nil, invalid(Signature, "not valid")
	default:
		return claims, nil
	}
}

// explain describes the part at fault in words of our own: some day a library's error might quote
// the token.
func explain(err error) error {
	for _, known := range []struct {
		is            error
		part, problem string
	}{
		{jwt.ErrTokenSignatureInvalid, Signature, "not made with the tenant's key"},
		{jwt.ErrTokenExpired, "exp", "the token has expired"},
		{jwt.ErrTokenNotValidYet, "nbf", "the token is not valid yet"},
		{jwt.ErrTokenUsedBeforeIssued, "iat", "the token is from the future"},
		{jwt.ErrTokenInvalidAudience, "aud", "the token is for another application"},
		{jwt.ErrTokenInvalidIssuer, "iss", "the token is of another issuer"},
		{jwt.ErrTokenRequiredClaimMissing, "form", "a required claim is missing"},
	} {
		if errors.Is(err, known.is) {
			return invalid(known.part, "%s", known.problem)
		}
	}
	return invalid("form", "not a JSON Web Token")
}

func (v *Verifier) now() time.Time {
	if v.Now == nil {
		return time.Now()
	}
	return v.Now()
}
