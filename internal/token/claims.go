// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"encoding/json"
	"strings"
	"time"

	"aadlogin/internal/foreign"
	"aadlogin/internal/guid"

	"github.com/golang-jwt/jwt/v5"
)

// maxLifetime is longer than Entra ID's ID tokens are good for: an hour, or what a token lifetime
// policy of the tenant says, which is at most a day. Entra ID dates tokens back by five minutes.
// Something else has made a token with a longer lifetime.
const maxLifetime = 25 * time.Hour

// Claims say who signed in. TenantID and ObjectID together are the identity. Everything else is a
// name, which can pass to somebody else (Microsoft identity platform, ID token claims reference).
// "email" is left out on purpose: a person can set it to anything.
type Claims struct {
	TenantID          string // lower-case GUID
	ObjectID          string // lower-case GUID
	PreferredUsername string
	UPN               string
	Name              string
	SignInID          string // "uti": the id of this sign-in in Entra's sign-in log
	IdentityProvider  string // set for guests
	Roles             []string
	Groups            []string // object ids
	GroupsOverage     bool     // the person has more groups than the token holds
	Expires           time.Time
}

// Parts of an [InvalidError] that callers tell apart.
const (
	NonceClaim = "nonce"     // the token is good, but for another request than that of [Verifier.Nonce]
	Signature  = "signature" // the tenant has not signed these bytes
)

// read compares every claim that decides anything, even those that golang-jwt has compared already:
// a change of its defaults must not let anybody in.
func (v *Verifier) read(claims jwt.MapClaims) (*Claims, error) {
	if err := v.checkFixed(claims); err != nil {
		return nil, err
	}
	expires, err := v.checkTimes(claims)
	if err != nil {
		return nil, err
	}
	tid, err := guidClaim(claims, "tid")
	if err != nil {
		return nil, err
	}
	if tid == guid.Consumers || tid != strings.ToLower(v.TenantID) {
		return nil, invalid("tid", "%s is not the configured tenant", tid)
	}
	oid, err := guidClaim(claims, "oid")
	if err != nil {
		return nil, err
	}
	c := &Claims{TenantID: tid, ObjectID: oid, Expires: expires}
	if err := c.readNames(claims); err != nil {
		return nil, err
	}
	return c, nil
}

// checkFixed compares the claims that have one right value.
func (v *Verifier) checkFixed(claims jwt.MapClaims) error {
	for _, fixed := range []struct{ name, want string }{
		{"iss", v.Issuer}, // RFC 8725, Section 3.8: simple string comparison
		{"aud", v.ClientID},
		{"ver", "2.0"},
	} {
		got, ok := claims[fixed.name].(string)
		if !ok || got == "" || got != fixed.want {
			return invalid(fixed.name, "%q instead of %q", foreign.Clip(got), fixed.want)
		}
	}
	// OpenID Connect Core 1.0, Section 3.1.3.7, item 5.
	if azp, present := claims["azp"]; present && azp != v.ClientID {
		return invalid("azp", "the token was issued to another application")
	}
	// OpenID Connect Core 1.0, Section 3.1.3.7, item 11.
	if v.Nonce != "" && claims["nonce"] != v.Nonce {
		return invalid(NonceClaim, "the token answers another request")
	}
	return nil
}

// checkTimes allows for two clocks that differ, but not for an old token.
func (v *Verifier) checkTimes(claims jwt.MapClaims) (expires time.Time, err error) {
	exp, err := date(claims, "exp")
	if err != nil {
		return time.Time{}, err
	}
	iat, err := date(claims, "iat")
	if err != nil {
		return time.Time{}, err
	}
	now := v.now()
	switch life := exp.Sub(iat); {
	case !now.Before(exp.Add(leeway)):
		return time.Time{}, invalid("exp", "the token has expired")
	case now.Before(iat.Add(-leeway)):
		return time.Time{}, invalid("iat", "the token is from the future")
	case life <= 0 || life > maxLifetime:
		return time.Time{}, invalid("exp", "a lifetime of %v", life)
	}
	if _, present := claims["nbf"]; present {
		nbf, err := date(claims, "nbf")
		if err != nil {
			return time.Time{}, err
		}
		if now.Before(nbf.Add(-leeway)) {
			return time.Time{}, invalid("nbf", "the token is not valid yet")
		}
	}
	return exp, nil
}

// readNames refuses a claim of another type. It does not take it for a missing one.
func (c *Claims) readNames(claims jwt.MapClaims) error {
	for name, into := range map[string]*string{
		"preferred_username": &c.PreferredUsername,
		"upn":                &c.UPN,
		"name":               &c.Name,
		"uti":                &c.SignInID,
		"idp":                &c.IdentityProvider,
	} {
		value, present := claims[name]
		text, ok := value.(string)
		if present && !ok {
			return invalid(name, "not a string")
		}
		*into = text
	}
	var err error
	if c.Roles, err = texts(claims, "roles"); err != nil {
		return err
	}
	if c.Groups, err = texts(claims, "groups"); err != nil {
		return err
	}
	c.GroupsOverage = overage(claims)
	return nil
}

// overage reports whether the token leaves out groups. Above 200 groups, it says where to ask
// instead (OpenID Connect Core 1.0, Section 5.6.2), or only that there are some.
func overage(claims jwt.MapClaims) bool {
	if names, ok := claims["_claim_names"].(map[string]any); ok && names["groups"] != nil {
		return true
	}
	has := claims["hasgroups"]
	return has == true || has == "true"
}

func guidClaim(claims jwt.MapClaims, name string) (string, error) {
	text, _ := claims[name].(string)
	if !guid.Is(text) {
		return "", invalid(name, "missing or not a GUID")
	}
	return strings.ToLower(text), nil
}

// date reads whole seconds. RFC 7519, Section 2, allows fractions and exponents, but nobody sends
// them.
func date(claims jwt.MapClaims, name string) (time.Time, error) {
	number, ok := claims[name].(json.Number)
	if !ok {
		return time.Time{}, invalid(name, "missing or not a number")
	}
	seconds, err := number.Int64()
	if err != nil || seconds < 0 || seconds > 1<<40 {
		return time.Time{}, invalid(name, "not a date")
	}
	return time.Unix(seconds, 0), nil
}

func texts(claims jwt.MapClaims, name string) ([]string, error) {
	value, present := claims[name]
	if !present {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, invalid(name, "not a list")
	}
	var all []string
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, invalid(name, "not a list of strings")
		}
		all = append(all, text)
	}
	return all, nil
}
