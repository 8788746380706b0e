// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
)

// keyring holds the signing keys; all but the current one are made when a
// forgery needs them.
type keyring struct {
	current, foreign, stranger *rsa.PrivateKey
}

// orNewKey returns the key, or a new one for nil.
func orNewKey(key *rsa.PrivateKey) *rsa.PrivateKey {
	if key != nil {
		return key
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err) // crypto/rand.Reader does not fail
	}
	return key
}

// warmUp makes the signing key.
func (s *Server) warmUp() { s.signingKey(Honest) }

// signingKey returns the key for a way to sign, and the key id to claim.
func (s *Server) signingKey(g Signature) (*rsa.PrivateKey, string) {
	defer s.lock()()
	k := &s.keys
	k.current = orNewKey(k.current)
	switch g {
	case Foreign:
		k.foreign = orNewKey(k.foreign)
		return k.foreign, keyID(k.foreign)
	case Stranger:
		k.stranger = orNewKey(k.stranger)
		return k.stranger, keyID(k.current)
	default:
		return k.current, keyID(k.current)
	}
}

// RotateKey replaces the signing key; the old one is no longer published.
func (s *Server) RotateKey() {
	key := orNewKey(nil)
	defer s.lock()()
	s.keys.current = key
}

// keyID names a key by what it is.
func keyID(key *rsa.PrivateKey) string {
	sum := sha256.Sum256(key.N.Bytes())
	return base64.RawURLEncoding.EncodeToString(sum[:20])
}

// publishedKey is an entry of the key set. RFC 7517, Section 4; issuer and
// cloud_instance_name are Microsoft's.
type publishedKey struct {
	Type    string `json:"kty"`
	Use     string `json:"use"`
	ID      string `json:"kid"`
	Modulus string `json:"n"`
	Expo    string `json:"e"`
	Cloud   string `json:"cloud_instance_name"`
	Issuer  string `json:"issuer"`
}

func publish(key *rsa.PrivateKey, issuer string) publishedKey {
	b64 := base64.RawURLEncoding
	return publishedKey{
		Type: "RSA", Use: "sig", ID: keyID(key),
		Modulus: b64.EncodeToString(key.N.Bytes()),
		Expo:    b64.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		Cloud:   "microsoftonline.com", Issuer: issuer,
	}
}

func (x *exchange) publishKeys() {
	if !x.tenantKnown() {
		return
	}
	key, _ := x.s.signingKey(Honest)
	keys := []publishedKey{publish(key, x.issuer())}
	x.s.mu.Lock()
	foreign := x.s.keys.foreign
	x.s.mu.Unlock()
	if foreign != nil {
		keys = append(keys, publish(foreign, x.base()+"/"+foreignTenant+"/v2.0"))
	}
	x.json(http.StatusOK, map[string]any{"keys": keys})
}
