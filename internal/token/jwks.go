// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"aadlogin/internal/azure"
)

const keysDocument = "signing keys"

// keySet holds the keys that may sign ID tokens of one issuer, by kid.
type keySet map[string]*rsa.PublicKey

// webKey is a JSON Web Key (RFC 7517, Section 4; RFC 7518, Section 6.3.1).
// Issuer is Microsoft's own member.
type webKey struct {
	Type      string `json:"kty"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	Modulus   string `json:"n"`
	Exponent  string `json:"e"`
	Issuer    string `json:"issuer"`
}

// parseKeys reads a JSON Web Key Set. Keys it cannot use are skipped, as RFC
// 7517, Section 5 asks; a set without any usable key is an error.
func parseKeys(body []byte, issuer, tenant string) (keySet, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if !json.Valid(body) {
		return nil, unreachable(keysDocument, errors.New("answer is not JSON"))
	}
	if err := azure.Decode(body, &doc); err != nil {
		return nil, &DocumentError{keysDocument, err.Error()}
	}
	set := make(keySet)
	for _, raw := range doc.Keys {
		var k webKey
		if json.Unmarshal(raw, &k) != nil || !k.mayVerify(issuer, tenant) {
			continue
		}
		if key, err := k.public(); err == nil {
			set.add(k.ID, key)
		}
	}
	for id, key := range set {
		if key == nil {
			delete(set, id)
		}
	}
	if len(set) == 0 {
		return nil, &DocumentError{keysDocument, fmt.Sprintf("none of %d keys can verify tokens of %q", len(doc.Keys), clip(issuer))}
	}
	return set, nil
}

// add leaves nil behind when two different keys claim one kid: no telling
// which of them is meant.
func (s keySet) add(id string, key *rsa.PublicKey) {
	if old, taken := s[id]; taken && (old == nil || !old.Equal(key)) {
		key = nil
	}
	s[id] = key
}

// mayVerify reports whether the key is for RS256 signatures of issuer. A key
// that names an issuer vouches for that one only: Microsoft's sets mix keys of
// organisations and of personal accounts.
func (k webKey) mayVerify(issuer, tenant string) bool {
	switch {
	case k.Type != "RSA", k.ID == "", len(k.ID) > maxKeyID:
		return false
	case k.Use != "" && k.Use != "sig":
		return false
	case k.Algorithm != "" && k.Algorithm != "RS256":
		return false
	case k.Issuer != "" && fillTenant(k.Issuer, tenant) != issuer:
		return false
	default:
		return true
	}
}

// public decodes the key. At least 2048 bits (RFC 7518, Section 3.3), and at
// most what verifies in reasonable time.
func (k webKey) public() (*rsa.PublicKey, error) {
	n, err := number(k.Modulus)
	if err != nil {
		return nil, err
	}
	e, err := number(k.Exponent)
	if err != nil {
		return nil, err
	}
	if bits := n.BitLen(); bits < 2048 || bits > 8192 || n.Bit(0) == 0 {
		return nil, fmt.Errorf("modulus of %d bits", bits)
	}
	if !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0 {
		return nil, errors.New("exponent out of range")
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func number(text string) (*big.Int, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, err
	}
	return new(big.Int).SetBytes(raw), nil
}
