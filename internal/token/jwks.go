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
	"slices"
	"strings"

	"aadlogin/internal/foreign"
)

const keysDocument = "signing keys"

// keySet holds the keys that may sign ID tokens of one issuer, by kid.
type keySet map[string]*rsa.PublicKey

// webKey is a JSON Web Key (RFC 7517, Section 4; RFC 7518, Section 6.3.1). Issuer and Cloud are
// members that Microsoft has added.
type webKey struct {
	Type      string          `json:"kty"`
	Use       string          `json:"use"`
	Algorithm string          `json:"alg"`
	ID        string          `json:"kid"`
	Modulus   string          `json:"n"`
	Exponent  string          `json:"e"`
	Issuer    string          `json:"issuer"`
	Cloud     json.RawMessage `json:"cloud_instance_name"` // a value that is no string is ignored
}

// parseKeys reads the JSON Web Key Set that the metadata points to. It skips keys that it cannot
// use, as RFC 7517, Section 5 asks. A set without any usable key is an error.
func parseKeys(body []byte, m *Metadata) (keySet, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if !json.Valid(body) {
		return nil, unreachable(keysDocument, errors.New("answer is not JSON"))
	}
	if err := foreign.Decode(body, &doc); err != nil {
		return nil, &DocumentError{keysDocument, err.Error()}
	}
	var keys []webKey
	for _, raw := range doc.Keys {
		var k webKey
		if json.Unmarshal(raw, &k) == nil {
			keys = append(keys, k)
		}
	}
	named := slices.ContainsFunc(keys, func(k webKey) bool {
		return sameCloud(cloudName(k.Cloud), m.cloud)
	})
	set := make(keySet)
	for _, k := range keys {
		if !k.mayVerify(m.Issuer, m.TenantID) || named && k.ofOtherCloud(m.cloud) {
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
		return nil, &DocumentError{keysDocument,
			fmt.Sprintf("none of %d keys can verify tokens of %q",
				len(doc.Keys), foreign.Clip(m.Issuer))}
	}
	return set, nil
}

// add stores nil if two different keys have the same kid, because nobody can tell which is meant.
func (s keySet) add(id string, key *rsa.PublicKey) {
	if old, taken := s[id]; taken && (old == nil || !old.Equal(key)) {
		key = nil
	}
	s[id] = key
}

// mayVerify reports whether the key is for RS256 signatures of issuer. A key that names an issuer
// vouches for that one only: Microsoft's sets mix keys of organisations and of personal accounts.
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

// ofOtherCloud reports whether the key names another cloud than the metadata. The set of the public
// cloud holds keys of US Government under the issuer of its own tenants. The member counts only in
// a set that names the metadata's cloud: other sets do not have it, or use it for something else.
func (k webKey) ofOtherCloud(cloud string) bool {
	name := cloudName(k.Cloud)
	return name != "" && cloud != "" && !sameCloud(name, cloud)
}

// cloudName reads a cloud_instance_name. A value that is no string names no cloud.
func cloudName(raw json.RawMessage) string {
	var name string
	if json.Unmarshal(raw, &name) != nil {
		return ""
	}
	return name
}

// sameCloud compares two names, of which neither may be empty. Only ASCII letters are compared
// without case.
func sameCloud(a, b string) bool {
	lower := func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}
	return a != "" && strings.Map(lower, a) == strings.Map(lower, b)
}

// public decodes the key. It accepts at least 2048 bits (RFC 7518, Section 3.3), and at most what
// can be verified in reasonable time.
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
