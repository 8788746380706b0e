// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"testing"
)

func decodeSegment(t *testing.T, s string) map[string]any {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	return decodeSegment(t, strings.Split(token, ".")[1])
}

// token runs a whole sign-in and returns the ID token.
func (w *world) token(account string) string {
	w.t.Helper()
	user, device := w.start("openid profile")
	if err := w.SignIn(user, account); err != nil {
		w.t.Fatal(err)
	}
	id, _ := w.poll(device).object(w.t)["id_token"].(string)
	return id
}

// published fetches the key set.
func (w *world) published() []publishedKey {
	w.t.Helper()
	var set struct{ Keys []publishedKey }
	a := w.do("GET", w.EntraURL()+"/"+w.directory().TenantID+"/discovery/v2.0/keys", "")
	if err := json.Unmarshal([]byte(a.body), &set); err != nil {
		w.t.Fatal(err)
	}
	return set.Keys
}

// verifies reports whether a published key made the signature with RS256, and returns the issuer of
// the key.
func (w *world) verifies(token string) (issuer string, ok bool) {
	w.t.Helper()
	parts := strings.Split(token, ".")
	header := decodeSegment(w.t, parts[0])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	sig, _ := base64.RawURLEncoding.DecodeString(parts[2])
	for _, k := range w.published() {
		n, _ := base64.RawURLEncoding.DecodeString(k.Modulus)
		e, _ := base64.RawURLEncoding.DecodeString(k.Expo)
		key := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
		if k.ID == header["kid"] && header["alg"] == "RS256" &&
			rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil {
			return strings.ReplaceAll(k.Issuer, "{tenantid}", w.directory().TenantID), true
		}
	}
	return "", false
}

func TestIDToken(t *testing.T) {
	w := newWorld(t)
	token := w.token("admin@contoso.example")
	issuer, ok := w.verifies(token)
	if !ok {
		t.Fatal("no published key verifies the token")
	}
	meta := w.do("GET", w.EntraURL()+"/"+w.directory().TenantID+
		"/v2.0/.well-known/openid-configuration", "").object(t)
	c := claimsOf(t, token)
	want := map[string]any{
		"aud": w.directory().ClientID, "iss": issuer, "tid": w.directory().TenantID, "ver": "2.0",
		"oid":                "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb",
		"preferred_username": "admin@contoso.example", "name": "Ada Admin",
	}
	for k, v := range want {
		if c[k] != v {
			t.Errorf("%s is %v, want %v", k, c[k], v)
		}
	}
	if c["iss"] != meta["issuer"] {
		t.Errorf("issuer %v, metadata says %v", c["iss"], meta["issuer"])
	}
	if c["exp"].(float64)-c["iat"].(float64) != 65*60 || c["nbf"] != c["iat"] {
		t.Errorf("times %v", c)
	}
}

func TestUserClaims(t *testing.T) {
	w := newWorld(t)
	err := w.Update(func(d *Directory) {
		d.GroupsClaim = true
		d.Users[0].IdentityProvider = "https://sts.windows.net/x/"
		d.Users[0].Claims = map[string]any{"tid": foreignTenant, "roles": []string{"login"}}
		d.Users[0].Omit = []string{"oid"}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := claimsOf(t, w.token("admin@contoso.example"))
	if c["tid"] != foreignTenant || c["oid"] != nil || c["idp"] != "https://sts.windows.net/x/" {
		t.Errorf("claims %v", c)
	}
	if groups, _ := c["groups"].([]any); len(groups) != 2 ||
		!slices.Contains(groups, any("cccccccc-2222-3333-4444-dddddddddddd")) {
		t.Errorf("groups %v, want both, through nesting", c["groups"])
	}
}

func TestForgeries(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		forgery  Forgery
		alg      string
		verifies bool
	}{
		{Forgery{}, "RS256", true},
		{Forgery{Sign: None}, "none", false},
		{Forgery{Sign: HS256}, "HS256", false},
		{Forgery{Sign: RS384}, "RS384", false},
		{Forgery{Sign: Stranger}, "RS256", false},
		{Forgery{Sign: Foreign}, "RS256", true},
		{Forgery{Sign: Consumer}, "RS256", true},
		{Forgery{Sign: OtherCloud}, "RS256", true},
		{Forgery{Header: map[string]any{"kid": "gone"}}, "RS256", false},
		{Forgery{Claims: map[string]any{"aud": "x", "tid": nil}}, "RS256", true},
	}
	for _, test := range tests {
		w.Forge(&test.forgery)
		token := w.token("user@contoso.example")
		header := decodeSegment(t, strings.Split(token, ".")[0])
		issuer, ok := w.verifies(token)
		if header["alg"] != test.alg || ok != test.verifies {
			t.Errorf("%+v: alg %v, verifies %v", test.forgery, header["alg"], ok)
		}
		c := claimsOf(t, token)
		stranger := test.forgery.Sign == Foreign || test.forgery.Sign == Consumer
		if stranger == (ok && issuer == c["iss"]) && ok {
			t.Errorf("%+v: key's issuer %q, token's %q", test.forgery, issuer, c["iss"])
		}
		if _, has := c["tid"]; test.forgery.Claims != nil && (has || c["aud"] != "x") {
			t.Errorf("%+v: claims %v", test.forgery, c)
		}
	}
	w.Forge(&Forgery{Raw: "a.b.c", Times: 1})
	if got := w.token("user@contoso.example"); got != "a.b.c" {
		t.Errorf("raw token %q", got)
	}
	if _, ok := w.verifies(w.token("user@contoso.example")); !ok {
		t.Error("the forgery outlived its times")
	}
}

func TestRotateKey(t *testing.T) {
	w := newWorld(t)
	before := w.token("user@contoso.example")
	w.RotateKey()
	if _, ok := w.verifies(before); ok {
		t.Error("the old key is still published")
	}
	if _, ok := w.verifies(w.token("user@contoso.example")); !ok {
		t.Error("the new key is not published")
	}
}
