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
			parts := strings.Split(raw, ".")
			if parts[1] != "" && strings.Contains(err.Error(), parts[1]) {
				t.Errorf("the token is in its error: %v", err)
			}
		})
	}
}

// Verify refuses all claims that golang-jwt refuses.
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

// A good token may belong to another request: it was relayed, kept from an earlier attempt, or
// comes from the device code flow.
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
		ofIssuer := strings.Contains(claims, "iss")
		if good != (err == nil) || good != (got != nil) {
			t.Errorf("%s: %v", claims, err)
		}
		if !good && (!errors.As(err, &bad) || (bad.Part == NonceClaim) == ofIssuer ||
			strings.Contains(err.Error(), ours)) {
			t.Errorf("%s: %v", claims, err)
		}
		if v.Nonce = ""; !ofIssuer {
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

// A name in the claim "email" alone does not count, because people set it themselves.
func TestVerifyIgnoresEmail(t *testing.T) {
	a := newAuthority(t)
	claims := `{"preferred_username":null,"email":"admin@contoso.example"}`
	raw := vector{"claims": claims}.token(t, a)
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

// FuzzVerify checks that a token without a signature, or with a stranger's, is never accepted. A
// token that the tenant's own key has signed is accepted only if its claims are exactly right, and
// reads the same when written out again.
func FuzzVerify(f *testing.F) {
	a := &authority{
		Server: &httptest.Server{URL: "https://login.example"}, now: time.Unix(1_700_000_000, 0),
	}
	v := offlineVerifier(a)
	for _, vec := range vectors(f) {
		header, claims := vec.parts(f, a)
		f.Add(header, claims)
	}
	f.Fuzz(func(t *testing.T, header, payload []byte) {
		text := b64(header) + "." + b64(payload)
		if checkForm(text+".") != nil {
			c, err := v.Verify(t.Context(), signedBy(t, "current", text))
			if err == nil || c != nil {
				t.Fatalf("accepted %+v", c)
			}
			return
		}
		for _, forged := range []string{
			text + ".", text + "." + b64(make([]byte, 256)), signedBy(t, "stranger", text),
		} {
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
			said["aud"] != testClient || said["ver"] != "2.0" || c.TenantID != testTenant ||
			!strings.EqualFold(fmt.Sprint(said["oid"]), c.ObjectID) || !guid.Is(c.ObjectID) ||
			c.PreferredUsername != "" && said["preferred_username"] != c.PreferredUsername ||
			!c.Expires.After(a.now.Add(-leeway)) {
			t.Fatalf("accepted %+v from %q", c, payload)
		}
		again := b64(mustJSON(t, members(t, header))) + "." + b64(mustJSON(t, said))
		same, err := v.Verify(t.Context(), signedBy(t, "current", again))
		if err != nil || !reflect.DeepEqual(c, same) {
			t.Errorf("%+v became %+v, %v", c, same, err)
		}
	})
}

// offlineVerifier has the key in its cache, and has just looked for others in vain.
func offlineVerifier(a *authority) *Verifier {
	now := func() time.Time { return a.now }
	keys := &Keys{
		provider: Provider{Now: now},
		set:      keySet{"current": public("current")},
		fetched:  a.now,
		inVain:   a.now,
	}
	return &Verifier{
		ClientID: testClient, TenantID: testTenant, Issuer: a.issuer(), Keys: keys, Now: now,
	}
}

func signedBy(t *testing.T, key, text string) string {
	t.Helper()
	return text + "." + b64(vector{"key": key}.sign(t, text))
}

// members returns the members of an object as an independent reader sees them.
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
