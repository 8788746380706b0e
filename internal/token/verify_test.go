// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/guid"
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
			if parts := strings.Split(raw, "."); parts[1] != "" &&
				strings.Contains(err.Error(), parts[1]) {
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
		got, err := v.read(members(t, vec.merge(t, a, "claims", goodClaims(a))))
		if valid := vec["expect"] == "valid"; (err == nil) != valid || (got != nil) != valid {
			t.Errorf("%s: %v, want %s", vec["name"], err, vec["expect"])
		}
	}
}

// A token for another request is another's, however good: relayed, kept from an earlier attempt, or
// of the device code flow.
func TestVerifyNonce(t *testing.T) {
	a := newAuthority(t)
	const ours = "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg"
	for claims, good := range map[string]bool{
		`{"nonce":"` + ours + `"}`:           true,
		`{"nonce":"x"}`:                      false,
		`{"nonce":""}`:                       false,
		`{"nonce":null}`:                     false,
		`{"nonce":["` + ours + `"]}`:         false,
		`{"nonce":"` + ours + `","iss":"x"}`: false,
		`{}`:                                 false,
	} {
		v := a.verifier(t, "")
		v.Nonce = ours
		raw := vector{"claims": claims}.token(t, a)
		got, err := v.Verify(t.Context(), raw)
		var bad *InvalidError
		if good != (err == nil) || good != (got != nil) ||
			!good && (!errors.As(err, &bad) || (bad.Part == NonceClaim) == strings.Contains(claims,
				"iss") || strings.Contains(err.Error(), ours)) {
			t.Errorf("%s: %v", claims, err)
		}
		if v.Nonce = ""; !strings.Contains(claims, "iss") {
			if _, err := v.Verify(t.Context(), raw); err != nil {
				t.Errorf("%s, where no nonce was asked for: %v", claims, err)
			}
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
		PreferredUsername: "alice@contoso.example", UPN: "alice@contoso.example", Name: "Alice",
		SignInID: "y", IdentityProvider: "live.com",
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
	raw := vector{"claims": `{"preferred_username":null,"email":"admin@contoso.example"}`}.token(t,
		a)
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

// FuzzVerify: what nobody signed, or a stranger, is never accepted. What the
// tenant's own key has signed is accepted only if it says exactly what it has
// to, and says the same once written out again.
func FuzzVerify(f *testing.F) {
	a := &authority{Server: &httptest.Server{URL: "https://login.example"},
		now: time.Unix(1_700_000_000, 0)}
	v := offlineVerifier(a)
	for _, vec := range vectors(f) {
		header, claims := vec.parts(f, a)
		f.Add(header, claims)
	}
	f.Fuzz(func(t *testing.T, header, payload []byte) {
		text := b64(header) + "." + b64(payload)
		if checkForm(text+".") != nil {
			if c, err := v.Verify(t.Context(), signedBy(t, "current", text)); err == nil ||
				c != nil {
				t.Fatalf("accepted %+v", c)
			}
			return
		}
		for _, forged := range []string{text + ".", text + "." + b64(make([]byte, 256)),
			signedBy(t, "stranger", text)} {
			if c, err := v.Verify(t.Context(), forged); err == nil || c != nil {
				t.Fatalf("forged: %+v", c)
			}
		}
		c, err := v.Verify(t.Context(), signedBy(t, "current", text))
		if err != nil {
			return
		}
		said := members(t, payload)
		if members(t, header)["alg"] != "RS256" || said["iss"] != v.Issuer ||
			said["aud"] != testClient || said["ver"] != "2.0" ||
			c.TenantID != testTenant || !strings.EqualFold(fmt.Sprint(said["oid"]), c.ObjectID) ||
			!guid.Is(c.ObjectID) ||
			c.PreferredUsername != "" && said["preferred_username"] != c.PreferredUsername ||
			!c.Expires.After(a.now.Add(-leeway)) {
			t.Fatalf("accepted %+v from %q", c, payload)
		}
		again := b64(mustJSON(t, members(t, header))) + "." + b64(mustJSON(t, said))
		if same, err := v.Verify(t.Context(), signedBy(t, "current", again)); err != nil ||
			!reflect.DeepEqual(c, same) {
			t.Errorf("%+v became %+v, %v", c, same, err)
		}
	})
}

// offlineVerifier has the key at hand, and has just looked for others in vain.
func offlineVerifier(a *authority) *Verifier {
	now := func() time.Time { return a.now }
	keys := &Keys{
		provider: Provider{Now: now},
		set:      keySet{"current": public("current")},
		fetched:  a.now,
		inVain:   a.now,
	}
	return &Verifier{ClientID: testClient, TenantID: testTenant, Issuer: a.issuer(), Keys: keys,
		Now: now}
}

func signedBy(t *testing.T, key, text string) string {
	t.Helper()
	return text + "." + b64(vector{"key": key}.sign(t, text))
}

// members of an object, as a reader of our own sees them.
func members(t *testing.T, text []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	all := make(map[string]any)
	if err := dec.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}
