// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testTenant = "11111111-2222-4333-8444-5555555555aa"
	testClient = "99999999-8888-4777-8666-555555555544"
	testObject = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

// All tests share the keys, because real keys take a while to make.
var testKeys = map[string]func() *rsa.PrivateKey{
	"current":      sync.OnceValue(newKey),
	"next":         sync.OnceValue(newKey),
	"other-issuer": sync.OnceValue(newKey),
	"stranger":     sync.OnceValue(newKey),
}

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func public(name string) *rsa.PublicKey { return &testKeys[name]().PublicKey }

func jwk(kid string, key *rsa.PublicKey, more map[string]any) map[string]any {
	b64 := base64.RawURLEncoding.EncodeToString
	k := map[string]any{
		"kty": "RSA", "use": "sig", "kid": kid, "x5t": kid,
		"n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes()),
		"issuer": "https://{host}/{tenantid}/v2.0",
	}
	for name, value := range more {
		k[name] = value
	}
	return k
}

// authority is a login service that counts its requests.
type authority struct {
	*httptest.Server
	metadata map[string]any
	keys     []map[string]any
	broken   string // "": fine; else a way to answer wrongly
	asked    map[string]int
	now      time.Time
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{asked: make(map[string]int), now: time.Unix(1_700_000_000, 0)}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ErrorLog = log.New(io.Discard, "", 0)
	a.StartTLS()
	t.Cleanup(a.Close)
	base := a.URL + "/" + testTenant
	a.metadata = map[string]any{
		"issuer":                        a.URL + "/{tenantid}/v2.0",
		"authorization_endpoint":        base + "/oauth2/v2.0/authorize",
		"token_endpoint":                base + "/oauth2/v2.0/token",
		"device_authorization_endpoint": base + "/oauth2/v2.0/devicecode",
		"jwks_uri":                      base + "/discovery/v2.0/keys",
		"rbac_url":                      "https://pas.windows.net",
	}
	ours := map[string]any{"issuer": a.issuer()}
	theirs := map[string]any{"issuer": "https://elsewhere.example/v2.0"}
	a.keys = []map[string]any{
		jwk("current", public("current"), ours),
		jwk("other-issuer", public("other-issuer"), theirs),
	}
	return a
}

func (a *authority) issuer() string { return a.URL + "/" + testTenant + "/v2.0" }

func (a *authority) provider(cacheDir string) Provider {
	return Provider{HTTP: a.Client(), CacheDir: cacheDir, Now: func() time.Time { return a.now }}
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := "keys"
	doc := any(map[string]any{"keys": a.keys})
	if strings.HasSuffix(r.URL.Path, "/v2.0/.well-known/openid-configuration") {
		what, doc = "metadata", a.metadata
	}
	a.asked[what]++
	switch a.broken {
	case "":
		json.NewEncoder(w).Encode(doc)
	case "reset":
		panic(http.ErrAbortHandler)
	case "truncated":
		w.Header().Set("Content-Length", "5000")
		io.WriteString(w, `{"issuer":`)
	case "html":
		io.WriteString(w, "<html>sign in to the hotel network</html>")
	case "huge":
		w.Write(make([]byte, maxDocument+1))
	case "400 tenant":
		w.WriteHeader(400)
		io.WriteString(w,
			`{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found","error_codes":[90002]}`)
	case "404 html":
		w.WriteHeader(404)
		io.WriteString(w, "<html>")
	case "429":
		w.WriteHeader(429)
		io.WriteString(w, `{"error":"temporarily_unavailable"}`)
	case "500":
		w.WriteHeader(500)
	default:
		panic("no such fault: " + a.broken)
	}
}

func (a *authority) verifier(t *testing.T, cacheDir string) *Verifier {
	t.Helper()
	s := a.provider(cacheDir)
	m, err := s.Discover(t.Context(), a.URL, testTenant)
	if err != nil {
		t.Fatal(err)
	}
	return &Verifier{
		ClientID: testClient, TenantID: testTenant, Issuer: m.Issuer, Keys: s.Keys(m), Now: s.Now,
	}
}
