// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// Forged, stolen and altered tokens carry the right name and come from the server that is asked.
// They let nobody in, nothing is stored, and Azure is not asked.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	const consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"
	const untrusted, other = "could not be trusted", "but an account without a name signed in"
	sign := func(s emulator.Signature) *emulator.Forgery { return &emulator.Forgery{Sign: s} }
	claims := func(c map[string]any) *emulator.Forgery { return &emulator.Forgery{Claims: c} }
	header := func(s emulator.Signature, h map[string]any) *emulator.Forgery {
		return &emulator.Forgery{Sign: s, Header: h}
	}
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, test := range map[string]struct {
		forge  *emulator.Forgery
		told   string
		logged string
	}{
		"HS256 with the public key": {sign(emulator.HS256), untrusted, "alg: "},
		"key of another tenant":     {sign(emulator.Foreign), untrusted, "kid: "},
		"key of another cloud":      {sign(emulator.OtherCloud), untrusted, "kid: "},
		"key for personal accounts": {sign(emulator.Consumer), untrusted, "kid: "},
		"unsigned, named RS256": {header(emulator.None, map[string]any{"alg": "RS256"}),
			untrusted, "signature: "},
		"unknown key": {header(emulator.Stranger,
			map[string]any{"kid": "stranger"}), untrusted, "kid: "},
		"key at an address": {header(emulator.Stranger,
			map[string]any{"jku": "https://127.0.0.1:1/keys"}), untrusted, "signature: "},
		"critical extension": {header(emulator.Honest,
			map[string]any{"crit": []string{"exp"}}), untrusted, "crit: "},
		"consumer tenant": {claims(map[string]any{"tid": consumers}), untrusted,
			"tid: "},
		"another issuer": {claims(map[string]any{"iss": "https://sts.windows.net/" +
			emulator.Contoso().TenantID + "/"}), untrusted, "iss: "},
		"expired": {claims(map[string]any{"iat": in(-2 * time.Hour),
			"exp": in(-time.Hour)}), untrusted, "exp: "},
		"name in email alone": {claims(map[string]any{"preferred_username": nil,
			"email": user}), other, "other-account"},
		"name in upn alone": {claims(map[string]any{"preferred_username": nil,
			"upn": user}), other, "other-account"},
		"name that cannot be seen": {claims(map[string]any{"preferred_username": "\u200b\u202e"}),
			other, "other-account"},
		"name and a NUL": {claims(map[string]any{"preferred_username": user +
			"\x00"}), "This sign-in is for", "other-account"},
		"name in a list": {claims(map[string]any{"preferred_username": []string{user}}),
			untrusted, "token-refused"},
		"larger than tokens get": {claims(map[string]any{"x": strings.Repeat("x", 64<<10)}),
			untrusted, "token-refused"},
		"no token": {&emulator.Forgery{Raw: "token"},
			untrusted, "token-refused"},
		"nothing but dots":              {&emulator.Forgery{Raw: ".."}, untrusted, "token-refused"},
		"encrypted":                     {&emulator.Forgery{Raw: "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d"}, untrusted, "token-refused"},
		"claims that are not an object": {&emulator.Forgery{Raw: "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.bnVsbA.AAAA"}, untrusted, "token-refused"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "")
			m.entra.Forge(test.forge)
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, Refused, test.told, test.logged)
			m.unknown(user)
			if n := m.requests("checkaccess"); n != 0 {
				t.Errorf("Azure was asked %d times", n)
			}
		})
	}
}

// The keys change between two sign-ins, and once more while the person is in the browser. All
// sign-ins together look for an unknown key id once.
func TestKeyRotation(t *testing.T) {
	m := newMachine(t, "")
	signIn := func(want Verdict, keys int, why string, before func()) {
		t.Helper()
		got, conv := m.run(m.request(user), func(code string) error {
			before()
			return m.entra.SignIn(code, user)
		})
		if n := m.requests("keys"); got != want || n != keys {
			t.Errorf("%s: verdict %d, want %d; keys were asked for %d times, want %d; told %q", why,
				got, want, n, keys, conv.told)
		}
	}
	nothing := func() {}
	signIn(Success, 1, "first", nothing)
	m.entra.RotateKey()
	signIn(Success, 2, "after a rotation", nothing)
	signIn(Success, 3, "rotation meanwhile", m.entra.RotateKey)
	for i := range 2 {
		m.entra.Forge(&emulator.Forgery{
			Sign: emulator.Stranger, Header: map[string]any{"kid": fmt.Sprint("forged-", i)},
		})
		signIn(Refused, 4, "forged", nothing)
	}
	m.entra.Forge(nil)
	signIn(Success, 4, "after the forgeries", nothing)
}
