// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/azure"
)

func TestVerifyVectors(t *testing.T) {
	a := newAuthority(t)
	for _, v := range vectors(t) {
		t.Run(v["name"], func(t *testing.T) {
			raw := v.token(t, a)
			claims, err := a.verifier(t, "").Verify(t.Context(), raw)
			if v["expect"] == "valid" {
				if err != nil || claims.ObjectID != testObject || claims.TenantID != testTenant {
					t.Fatalf("%+v, %v", claims, err)
				}
				return
			}
			part, ok := strings.CutPrefix(v["expect"], "invalid ")
			if !ok {
				t.Fatalf("expect %q", v["expect"])
			}
			var bad *InvalidError
			if claims != nil || !errors.As(err, &bad) || bad.Part != part {
				t.Fatalf("%+v, %v; want invalid %s", claims, err, part)
			}
			if parts := strings.Split(raw, "."); parts[1] != "" && strings.Contains(err.Error(), parts[1]) {
				t.Errorf("the token is in its error: %v", err)
			}
		})
	}
}

// Everything that golang-jwt finds wrong about claims, read finds too.
func TestReadAlone(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(t, "")
	for _, vec := range vectors(t) {
		if vec["claims"] == "" {
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(vec.merge(t, a, "claims", goodClaims(a))))
		dec.UseNumber()
		claims := make(map[string]any)
		if err := dec.Decode(&claims); err != nil {
			t.Fatal(err)
		}
		got, err := v.read(claims)
		if valid := vec["expect"] == "valid"; (err == nil) != valid || (got != nil) != valid {
			t.Errorf("%s: %v, want %s", vec["name"], err, vec["expect"])
		}
	}
}

func TestVerifyForm(t *testing.T) {
	a := newAuthority(t)
	good := vector{}.token(t, a)
	parts := strings.Split(good, ".")
	tests := map[string]string{
		"empty":                  "",
		"wordless":               "..",
		"a bit of the claims":    parts[0] + "." + flip(parts[1]) + "." + parts[2],
		"a bit of the signature": parts[0] + "." + parts[1] + "." + flip(parts[2]),
		"signature cut":          good[:len(good)-1],
		"huge":                   good + strings.Repeat("A", maxToken),
	}
	for name, raw := range tests {
		v := a.verifier(t, "")
		claims, err := v.Verify(t.Context(), raw)
		var bad *InvalidError
		if claims != nil || !errors.As(err, &bad) {
			t.Errorf("%s: %v, %v", name, claims, err)
		}
	}
}

// flip changes the case of one letter in the middle.
func flip(part string) string {
	b := []byte(part)
	for i := len(b) / 2; i < len(b); i++ {
		if b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
			break
		}
	}
	return string(b)
}

func TestVerifyClaims(t *testing.T) {
	a := newAuthority(t)
	raw := vector{"claims": `{
		"upn":"alice@contoso.example","idp":"live.com","email":"ceo@contoso.example",
		"roles":["login"],"groups":["0f3c"],"_claim_names":{"groups":"src1"}}`}.token(t, a)
	got, err := a.verifier(t, "").Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	want := &Claims{
		TenantID: testTenant, ObjectID: testObject,
		PreferredUsername: "alice@contoso.example", UPN: "alice@contoso.example", Name: "Alice", IdentityProvider: "live.com",
		Roles: []string{"login"}, Groups: []string{"0f3c"}, GroupsOverage: true,
		Expires: a.now.Add(time.Hour),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A name found only in "email" is no name: people set that themselves.
func TestVerifyIgnoresEmail(t *testing.T) {
	a := newAuthority(t)
	raw := vector{"claims": `{"preferred_username":null,"email":"admin@contoso.example"}`}.token(t, a)
	got, err := a.verifier(t, "").Verify(t.Context(), raw)
	if err != nil || got.PreferredUsername != "" || got.UPN != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestVerifyNoFetchForForgeries(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(t, "")
	for _, vec := range vectors(t) {
		if vec["expect"] == "invalid alg" || vec["expect"] == "invalid crit" {
			if _, err := v.Verify(t.Context(), vec.token(t, a)); err == nil {
				t.Error("accepted")
			}
		}
	}
	if a.asked["keys"] != 0 {
		t.Errorf("keys were fetched %d times", a.asked["keys"])
	}
}

func TestVerifyWithoutKeysIsNoVerdict(t *testing.T) {
	a := newAuthority(t)
	v := a.verifier(t, "")
	a.broken = "500"
	_, err := v.Verify(t.Context(), vector{}.token(t, a))
	var bad *InvalidError
	if !errors.Is(err, ErrUnreachable) || errors.As(err, &bad) {
		t.Errorf("got %v", err)
	}
}

// FuzzVerify: a token that nobody signed is never accepted; were it signed,
// only claims of the tenant, still valid, would be.
func FuzzVerify(f *testing.F) {
	a := &authority{Server: &httptest.Server{URL: "https://login.example"}, now: time.Unix(1_700_000_000, 0)}
	now := func() time.Time { return a.now }
	keys := &Keys{
		source:    Source{Now: now},
		set:       keySet{"current": public("current")},
		fetched:   a.now,
		refreshed: true,
	}
	v := &Verifier{ClientID: testClient, TenantID: testTenant, Issuer: a.issuer(), Keys: keys, Now: now}
	header := []byte(`{"alg":"RS256","kid":"current"}`)
	good := goodClaims(a)
	f.Add(header, mustJSON(f, good))
	f.Add([]byte(`{"alg":"none"}`), mustJSON(f, good))
	for _, name := range slices.Sorted(maps.Keys(good)) {
		less := maps.Clone(good)
		delete(less, name)
		f.Add(header, mustJSON(f, less))
	}
	f.Fuzz(func(t *testing.T, header, payload []byte) {
		b64 := base64.RawURLEncoding.EncodeToString
		raw := b64(header) + "." + b64(payload) + "." + b64(make([]byte, 256))
		if c, err := v.Verify(t.Context(), raw); err == nil || c != nil {
			t.Fatalf("unsigned: %+v", c)
		}
		dec := json.NewDecoder(bytes.NewReader(payload))
		dec.UseNumber()
		claims := make(map[string]any)
		if dec.Decode(&claims) != nil {
			return
		}
		c, err := v.read(claims)
		if err == nil && (c.TenantID != testTenant || !azure.IsGUID(c.ObjectID) || !c.Expires.After(a.now.Add(-leeway))) {
			t.Errorf("accepted %+v from %q", c, payload)
		}
	})
}
