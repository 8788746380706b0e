// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
)

// claims returns the ID token's payload.
// https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
func (x *exchange) claims(u User, scopes []string) map[string]any {
	sub := sha256.Sum256([]byte(x.dir.ClientID + u.ObjectID)) // pairwise
	c := map[string]any{
		"ver": "2.0",
		"iss": x.issuer(),
		"sub": base64.RawURLEncoding.EncodeToString(sub[:]),
		"aud": x.dir.ClientID,
		"iat": x.now.Unix() - 300, // as Entra ID dates them
		"nbf": x.now.Unix() - 300,
		"exp": x.now.Unix() + 3600,
		"tid": x.dir.TenantID,
		"uti": opaque(16),
		"rh":  "1.A" + opaque(45) + ".", // the length seen in 2025, as of sid and xms_ftd
		"sid": newGUID(),

		"xms_ftd": opaque(48),
	}
	if slices.Contains(scopes, "profile") {
		c["oid"] = u.ObjectID
		c["name"] = u.Display
		c["preferred_username"] = u.Name
	}
	if u.IdentityProvider != "" {
		c["idp"] = u.IdentityProvider
	}
	if x.dir.GroupsClaim {
		c["groups"] = x.dir.memberOf(u.ObjectID)
	}
	if len(u.AppRoles) > 0 {
		c["roles"] = u.AppRoles
	}
	maps.Copy(c, u.Claims)
	for _, name := range u.Omit {
		delete(c, name)
	}
	return c
}

// opaque returns random bytes, for a value that only Entra ID understands.
func opaque(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// A Forgery falsifies ID tokens. In Header and Claims, null removes an entry.
type Forgery struct {
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
	Sign   Signature      `json:"sign"`
	Raw    string         `json:"raw"`   // the whole token, whatever it is
	Times  int            `json:"times"` // 0: every token
}

// A Signature is a way to sign a token.
type Signature string

// The first way is the honest one.
const (
	Honest   Signature = ""         // RS256, with the published key
	RS384    Signature = "RS384"    // the right key, another algorithm
	HS256    Signature = "HS256"    // the public key's PEM as the secret: algorithm confusion, RFC 8725, Section 2.1
	None     Signature = "none"     // RFC 8725, Section 3.1
	Stranger Signature = "stranger" // a key that is not published, under the published key's id
	Foreign  Signature = "foreign"  // a key published for another tenant's issuer

	OtherCloud Signature = "other-cloud" // a key published for the right issuer, but of another cloud
	Consumer   Signature = "consumer"    // a key published for personal accounts
)

// foreignTenant is the issuer of the Foreign key.
const foreignTenant = "ffffeeee-0000-dddd-1111-cccc2222bbbb"

// Forge falsifies the following tokens. nil ends that.
func (s *Server) Forge(f *Forgery) {
	defer s.lock()()
	if f != nil {
		own := *f
		f = &own
		switch f.Sign { // those keys are published before the first token
		case Foreign:
			s.keys.foreign = orNewKey(s.keys.foreign)
		case OtherCloud:
			s.keys.cloud = orNewKey(s.keys.cloud)
		case Consumer:
			s.keys.consumer = orNewKey(s.keys.consumer)
		}
	}
	s.forgery = f
}

// takeForgery returns the forgery for one token.
func (s *Server) takeForgery() Forgery {
	defer s.lock()()
	if s.forgery == nil {
		return Forgery{}
	}
	f := *s.forgery
	if s.forgery.Times > 0 {
		if s.forgery.Times--; s.forgery.Times == 0 {
			s.forgery = nil
		}
	}
	return f
}

// idToken signs the claims. RFC 7515, Section 7.1.
func (s *Server) idToken(claims map[string]any) string {
	f := s.takeForgery()
	if f.Raw != "" {
		return f.Raw
	}
	key, kid := s.signingKey(f.Sign)
	header := map[string]any{"typ": "JWT", "alg": f.Sign.algorithm(), "kid": kid}
	amend(header, f.Header)
	amend(claims, f.Claims)
	input := segment(header) + "." + segment(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(f.Sign.sign(key, input))
}

// honest signs claims without a forgery.
func (s *Server) honest(claims map[string]any) string {
	key, kid := s.signingKey(Honest)
	input := segment(map[string]any{"typ": "JWT", "alg": Honest.algorithm(), "kid": kid}) + "." +
		segment(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(Honest.sign(key, input))
}

func amend(m, changes map[string]any) {
	for k, v := range changes {
		if v == nil {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
}

// first are the names that come first in Entra ID's header and claims, in this order. All others
// follow in alphabetical order.
var first = []string{"typ", "alg", "kid", "aud", "iss", "iat", "nbf", "exp"}

func segment(m map[string]any) string {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if i, j := rank(a), rank(b); i != j {
			return i - j
		}
		return strings.Compare(a, b)
	})
	text := []byte("{")
	for i, name := range names {
		key, _ := json.Marshal(name) // strings always encode
		value, err := json.Marshal(m[name])
		if err != nil {
			return "e30" // {}: a test put a channel or the like into the claims
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, key...), ':'), value...)
	}
	return base64.RawURLEncoding.EncodeToString(append(text, '}'))
}

func rank(name string) int {
	if i := slices.Index(first, name); i >= 0 {
		return i
	}
	return len(first)
}

// algorithm returns the value of alg in the header.
func (g Signature) algorithm() string {
	switch g {
	case RS384, HS256, None:
		return string(g)
	default:
		return "RS256"
	}
}

// sign returns the signature of the first two segments.
func (g Signature) sign(key *rsa.PrivateKey, input string) []byte {
	switch g {
	case None:
		return nil
	case HS256:
		mac := hmac.New(sha256.New, publicPEM(key))
		mac.Write([]byte(input))
		return mac.Sum(nil)
	case RS384:
		sum := sha512.Sum384([]byte(input))
		return mustSign(key, crypto.SHA384, sum[:])
	default:
		sum := sha256.Sum256([]byte(input))
		return mustSign(key, crypto.SHA256, sum[:])
	}
}

func mustSign(key *rsa.PrivateKey, hash crypto.Hash, sum []byte) []byte {
	sig, err := rsa.SignPKCS1v15(nil, key, hash, sum)
	if err != nil {
		panic(err) // fails only for a key that is too small for the hash
	}
	return sig
}

func publicPEM(key *rsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		panic(err) // an RSA key always encodes
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
