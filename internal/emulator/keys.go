// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // what names a certificate in x5t, RFC 7517, Section 4.8
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// A keyring holds the signing keys. All but the current one are made when a forgery needs them.
type keyring struct {
	current, foreign, stranger, cloud, consumer *rsa.PrivateKey
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

// warmUp makes the signing key in advance.
func (s *Server) warmUp() { s.signingKey(Honest) }

// signingKey returns the key for a way to sign, and the key id to name.
func (s *Server) signingKey(g Signature) (*rsa.PrivateKey, string) {
	defer s.lock()()
	k := &s.keys
	k.current = orNewKey(k.current)
	if g == Stranger {
		k.stranger = orNewKey(k.stranger)
		return k.stranger, keyID(certificateOf(&k.current.PublicKey, k.current))
	}
	key := &k.current
	switch g {
	case Foreign:
		key = &k.foreign
	case OtherCloud:
		key = &k.cloud
	case Consumer:
		key = &k.consumer
	}
	*key = orNewKey(*key)
	return *key, keyID(certificateOf(&(*key).PublicKey, k.current))
}

// RotateKey replaces the signing key. The old one is no longer published.
func (s *Server) RotateKey() {
	key := orNewKey(nil)
	defer s.lock()()
	s.keys.current = key
}

// certified holds the certificates made so far, by the two moduli.
var certified sync.Map

// certificateOf returns a certificate for the key in DER. It is always the same for the same two
// keys.
func certificateOf(key *rsa.PublicKey, signer *rsa.PrivateKey) []byte {
	pair := string(key.N.Bytes()) + string(signer.N.Bytes())
	if der, made := certified.Load(pair); made {
		return der.([]byte)
	}
	der := newCertificate(key, signer)
	certified.Store(pair, der)
	return der
}

func newCertificate(key *rsa.PublicKey, signer *rsa.PrivateKey) []byte {
	t := &x509.Certificate{
		SerialNumber: new(big.Int).Rsh(key.N, uint(key.N.BitLen()-64)),
		Subject:      pkix.Name{CommonName: "accounts.accesscontrol.example"},
		NotBefore:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(nil, t, t, key, signer)
	if err != nil {
		panic(err) // a certificate with two names and two dates always encodes
	}
	return der
}

// keyID returns the id of a key, made of its certificate: 27 characters.
func keyID(certificate []byte) string {
	sum := sha1.Sum(certificate)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// nobodysKey returns a key of Entra ID that signs nothing here. Clients must find the right key
// among several. Nobody knows its factors.
func nobodysKey(name string) *rsa.PublicKey {
	var n []byte
	for i := byte(0); len(n) < 256; i++ {
		sum := sha512.Sum512(append([]byte(name), i))
		n = append(n, sum[:]...)
	}
	n[0] |= 0x80
	n[255] |= 1
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
}

// A publishedKey is an entry of the key set. RFC 7517, Section 4. Microsoft adds issuer and
// cloud_instance_name, and names no alg.
type publishedKey struct {
	Type    string   `json:"kty"`
	Use     string   `json:"use"`
	ID      string   `json:"kid"`
	Thumb   string   `json:"x5t"`
	Modulus string   `json:"n"`
	Expo    string   `json:"e"`
	Chain   []string `json:"x5c"`
	Cloud   string   `json:"cloud_instance_name"`
	Issuer  string   `json:"issuer"`
}

func publish(key *rsa.PublicKey, signer *rsa.PrivateKey, cloud, issuer string) publishedKey {
	b64 := base64.RawURLEncoding
	der := certificateOf(key, signer)
	return publishedKey{
		Type: "RSA", Use: "sig", ID: keyID(der), Thumb: keyID(der),
		Modulus: b64.EncodeToString(key.N.Bytes()),
		Expo:    b64.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		Chain:   []string{base64.StdEncoding.EncodeToString(der)},
		Cloud:   cloud, Issuer: issuer,
	}
}

// consumerTenant is the tenant of personal accounts.
const consumerTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// publishKeys answers with a mix of keys like Entra ID's: of organizations, of another cloud under
// the same issuer, and of personal accounts.
func (x *exchange) publishKeys() {
	if !x.tenantKnown() {
		return
	}
	current, _ := x.s.signingKey(Honest)
	x.s.mu.Lock()
	ring := x.s.keys
	x.s.mu.Unlock()
	mine, other := x.clouds()
	template := x.base() + "/{tenantid}/v2.0"
	consumers := strings.Replace(template, "{tenantid}", consumerTenant, 1)
	keys := []publishedKey{
		publish(nobodysKey("next"), current, mine, template),
		publish(&current.PublicKey, current, mine, template),
		publish(orNobodys(ring.cloud, "cloud 1"), current, other, template),
		publish(nobodysKey("cloud 2"), current, other, template),
		publish(orNobodys(ring.consumer, "consumer 1"), current, mine, consumers),
		publish(nobodysKey("consumer 2"), current, mine, consumers),
	}
	if ring.foreign != nil {
		keys = append(keys, publish(&ring.foreign.PublicKey, current, mine,
			x.base()+"/"+foreignTenant+"/v2.0"))
	}
	x.json(http.StatusOK, map[string]any{"keys": keys})
}

func orNobodys(key *rsa.PrivateKey, name string) *rsa.PublicKey {
	if key == nil {
		return nobodysKey(name)
	}
	return &key.PublicKey
}

// clouds returns the name of this cloud, and of another whose keys are published with this one's.
func (x *exchange) clouds() (mine, other string) {
	mine = orDefaultText(x.dir.Cloud, "microsoftonline.com")
	if other = "microsoftonline.us"; mine == other {
		other = "microsoftonline.com"
	}
	return mine, other
}
