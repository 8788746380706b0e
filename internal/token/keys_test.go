// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"aadlogin/internal/guid"
)

func TestParseKeysUsesOnlySigningKeysOfTheIssuer(t *testing.T) {
	issuer := "https://h.example/" + testTenant + "/v2.0"
	current := public("current")
	weak := &rsa.PublicKey{N: mustKey(t, 1024).N, E: 65537}
	tests := []struct {
		name string
		more map[string]any
		key  *rsa.PublicKey
		ok   bool
	}{
		{"of this issuer", map[string]any{"issuer": issuer}, current, true},
		{"of the template", map[string]any{"issuer": "https://h.example/{tenantid}/v2.0"}, current,
			true},
		{"without issuer", map[string]any{"issuer": ""}, current, true},
		{"of another issuer", map[string]any{"issuer": issuer + "/"}, current, false},
		{"of the consumer tenant", map[string]any{"issuer": "https://h.example/" + guid.Consumers +
			"/v2.0"}, current, false},
		{"RS256", map[string]any{"issuer": issuer, "alg": "RS256"}, current, true},
		{"PS256", map[string]any{"issuer": issuer, "alg": "PS256"}, current, false},
		{"without use", map[string]any{"issuer": issuer, "use": ""}, current, true},
		{"for encryption", map[string]any{"issuer": issuer, "use": "enc"}, current, false},
		{"symmetric", map[string]any{"issuer": issuer, "kty": "oct"}, current, false},
		{"without kid", map[string]any{"issuer": issuer, "kid": ""}, current, false},
		{"kid of another type", map[string]any{"issuer": issuer, "kid": 1}, current, false},
		{"1024 bits", map[string]any{"issuer": issuer}, weak, false},
		{"exponent 1", map[string]any{"issuer": issuer, "e": "AQ"}, current, false},
		{"even exponent", map[string]any{"issuer": issuer, "e": "Ag"}, current, false},
		{"huge exponent", map[string]any{"issuer": issuer, "e": "AQAAAAAAAAAB"}, current, false},
		{"modulus not base64", map[string]any{"issuer": issuer, "n": "!"}, current, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set, err := parseKeys(keysJSON(t, jwk("k", test.key, test.more)), of(issuer))
			if (err == nil) != test.ok || test.ok && !set["k"].Equal(test.key) {
				t.Errorf("%v, %v", set, err)
			}
		})
	}
}

// of is metadata of the tenant.
func of(issuer string) *Metadata { return &Metadata{TenantID: testTenant, Issuer: issuer} }

// The set of the public cloud holds keys of US Government that name the public issuer. Whoever has
// one of those must not sign in anybody here, and no set that means something else by the member,
// or nothing, may lose its keys.
func TestParseKeysOfOtherCloud(t *testing.T) {
	const com, us = "microsoftonline.com", "microsoftonline.us"
	type key struct {
		cloud any    // nil: absent
		more  string // "consumers": their issuer
	}
	tests := []struct {
		name  string
		cloud string // of the metadata
		keys  []key
		want  []string // the kids that may verify: "0" is the first key
	}{
		{"as recorded", com, []key{{com, ""}, {com, ""}, {us, ""}, {us, ""}, {com, "consumers"}},
			[]string{"0", "1"}},
		{"the other way round", us, []key{{us, ""}, {com, ""}}, []string{"0"}},
		{"case", "MicrosoftOnline.com", []key{{"microsoftonline.COM", ""}, {us, ""}},
			[]string{"0"}},
		{"a letter beyond ASCII is another", com,
			[]key{{com, ""}, {"micro\u017foftonline.com", ""}}, []string{"0"}},
		{"no key names this cloud", com, []key{{us, ""}, {us, ""}}, []string{"0", "1"}},
		{"no key names any", com, []key{{nil, ""}, {nil, ""}}, []string{"0", "1"}},
		{"one names none", com, []key{{com, ""}, {nil, ""}, {"", ""}, {us, ""}},
			[]string{"0", "1", "2"}},
		{"the metadata names none", "", []key{{com, ""}, {us, ""}}, []string{"0", "1"}},
		{"no string", com, []key{{com, ""}, {7, ""}, {[]string{us}, ""}, {us, ""}},
			[]string{"0", "1", "2"}},
		{"only personal accounts' name this cloud", com, []key{{us, ""}, {com, "consumers"}}, nil},
	}
	for _, test := range tests {
		var keys []map[string]any
		for i, k := range test.keys {
			more := map[string]any{"issuer": "https://h.example/{tenantid}/v2.0"}
			if k.cloud != nil {
				more["cloud_instance_name"] = k.cloud
			}
			if k.more != "" {
				more["issuer"] = "https://h.example/" + guid.Consumers + "/v2.0"
			}
			keys = append(keys, jwk(fmt.Sprint(i), public("current"), more))
		}
		m := of("https://h.example/" + testTenant + "/v2.0")
		m.cloud = test.cloud
		set, _ := parseKeys(keysJSON(t, keys...), m)
		if got := slices.Sorted(maps.Keys(set)); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// Two keys under one kid: whichever one picks, an attacker may have meant it.
func TestParseKeysContradiction(t *testing.T) {
	one := jwk("k", public("current"), map[string]any{"issuer": "i"})
	other := jwk("k", public("next"), map[string]any{"issuer": "i"})
	third := jwk("third", public("next"), map[string]any{"issuer": "i"})
	set, err := parseKeys(keysJSON(t, one, one, third), of("i"))
	if err != nil || set["k"] == nil {
		t.Errorf("the same key twice: %v, %v", set, err)
	}
	set, err = parseKeys(keysJSON(t, one, other, one, third), of("i"))
	if err != nil || set["k"] != nil || set["third"] == nil {
		t.Errorf("contradiction: %v, %v", set, err)
	}
}

func keysJSON(t testing.TB, keys ...map[string]any) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mustKey(t *testing.T, bits int) *rsa.PublicKey {
	t.Helper()
	t.Setenv("GODEBUG", "rsa1024min=0")
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return &key.PublicKey
}

func TestKeysOneRefreshForUnknownKids(t *testing.T) {
	a := newAuthority(t)
	k := a.verifier(t, "").Keys
	for _, kid := range []string{"storm-1", "storm-2", "storm-3"} {
		_, err := k.key(t.Context(), kid)
		var bad *InvalidError
		if !errors.As(err, &bad) || bad.Part != "kid" {
			t.Errorf("%s: %v", kid, err)
		}
	}
	if a.asked["keys"] != 2 {
		t.Errorf("%d requests, want the first and one refresh", a.asked["keys"])
	}
	if _, err := k.key(t.Context(), "current"); err != nil {
		t.Errorf("a known key after the storm: %v", err)
	}
}

// Each sign-in is a process of its own; what they share is the cache. Ids that
// nobody has cost the authority one request a minute all the same, and keep no
// key from being found: neither those at hand nor, a minute later, a new one.
func TestKeysStormAcrossSignIns(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	signIn := func(kid string) error {
		_, err := a.verifier(t, dir).Keys.key(t.Context(), kid)
		return err
	}
	for i := range 300 {
		var bad *InvalidError
		if err := signIn(fmt.Sprint("forged-", i)); !errors.As(err, &bad) || bad.Part != "kid" {
			t.Fatal(err)
		}
	}
	if a.asked["keys"] != 2 {
		t.Errorf("%d requests, want the first and one look for a new key", a.asked["keys"])
	}
	a.keys = append(a.keys, jwk("next", public("next"), map[string]any{"issuer": a.issuer()}))
	if err := signIn("current"); err != nil {
		t.Errorf("a known key during the storm: %v", err)
	}
	a.now = a.now.Add(rest)
	for range 2 {
		if err := signIn("next"); err != nil {
			t.Errorf("a new key after the storm: %v", err)
		}
	}
	if a.asked["keys"] != 3 {
		t.Errorf("%d requests, want 3", a.asked["keys"])
	}
}

// Sign-ins that waited while the keys changed learn it from each other, and
// keys that change twice in a minute are found twice.
func TestKeysRollOverWhileOthersWait(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	var waiting []*Keys
	for range 10 {
		k := a.verifier(t, dir).Keys
		if err := k.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		waiting = append(waiting, k)
	}
	for i, kid := range []string{"next", "stranger"} {
		a.keys = []map[string]any{jwk(kid, public(kid), map[string]any{"issuer": a.issuer()})}
		for _, k := range waiting {
			if _, err := k.key(t.Context(), kid); err != nil {
				t.Errorf("%s: %v", kid, err)
			}
		}
		if want := 2 + i; a.asked["keys"] != want {
			t.Errorf("%s: %d requests, want %d", kid, a.asked["keys"], want)
		}
	}
	if _, err := a.verifier(t, dir).Keys.key(t.Context(), "current"); err == nil {
		t.Error("a withdrawn key is still believed")
	}
}

func TestKeysRollOver(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	if _, err := a.verifier(t, dir).Keys.key(t.Context(), "current"); err != nil {
		t.Fatal(err)
	}
	a.keys = append(a.keys, jwk("next", public("next"), map[string]any{"issuer": a.issuer()}))
	for range 2 { // the second sign-in finds the new key in the cache
		if _, err := a.verifier(t, dir).Keys.key(t.Context(), "next"); err != nil {
			t.Fatal(err)
		}
	}
	if a.asked["keys"] != 2 {
		t.Errorf("%d requests, want 2", a.asked["keys"])
	}
}

func TestKeysAreNotUsedAfterADay(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	k := a.verifier(t, dir).Keys
	if err := k.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.broken = "500"
	a.now = a.now.Add(maxAge - time.Second)
	if _, err := k.key(t.Context(), "current"); err != nil {
		t.Errorf("within a day: %v", err)
	}
	a.now = a.now.Add(time.Second)
	if _, err := k.key(t.Context(), "current"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("after a day: %v, want ErrUnreachable", err)
	}
	a.broken = ""
	if _, err := k.key(t.Context(), "current"); err != nil {
		t.Errorf("an outage was remembered: %v", err)
	}
}

func TestKeysOutageIsNotAnAccusation(t *testing.T) {
	for _, fault := range []string{"reset", "truncated", "html", "500", "429"} {
		a := newAuthority(t)
		k := a.verifier(t, "").Keys
		a.broken = fault
		_, err := k.key(t.Context(), "current")
		var bad *InvalidError
		if !errors.Is(err, ErrUnreachable) || errors.As(err, &bad) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}

func TestCacheUnwritable(t *testing.T) {
	a := newAuthority(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, file + "/below", "/proc/none/cache"} {
		if _, err := a.verifier(t, dir).Keys.key(t.Context(), "current"); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// FuzzKeys: no key that is accepted is weak or without a name, and a set of
// just those keys reads the same.
func FuzzKeys(f *testing.F) {
	current, next := public("current"), public("next")
	for _, more := range []map[string]any{
		{"issuer": "i"}, {"issuer": "{tenantid}"}, {"kty": "EC"}, {"issuer": "i", "use": "enc"},
		{"issuer": "i", "alg": "RS512"},
		{"issuer": "i", "e": "AQ"}, {"issuer": "i", "n": "AQAB"},
		{"issuer": "i", "cloud_instance_name": "a"}, {"issuer": "i", "cloud_instance_name": 1},
		{"issuer": "i", "kid": 7}, {"issuer": "i", "n": "AA" + b64(current.N.Bytes())},
	} {
		f.Add(keysJSON(f, jwk("k", current, more), jwk("l", next, more)))
		f.Add(keysJSON(f, jwk("k", current, more), jwk("k", next, more), jwk("k", current, nil)))
	}
	f.Add([]byte(`{"keys":[null,1,{},[]]}`))
	f.Add([]byte(`{"keys":[],"Keys":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		set, err := parseKeys(body, of("i"))
		if (err == nil) != (len(set) > 0) {
			t.Fatalf("%v, %v", set, err)
		}
		var keys []map[string]any
		for _, id := range slices.Sorted(maps.Keys(set)) {
			key := set[id]
			if id == "" || key == nil || key.N.BitLen() < 2048 || key.E < 3 {
				t.Fatalf("accepted %q: %v", id, key)
			}
			keys = append(keys, jwk(id, key, map[string]any{"issuer": "i"}))
		}
		if again, err := parseKeys(keysJSON(t, keys...), of("i")); len(set) > 0 &&
			(err != nil || !reflect.DeepEqual(set, again)) {
			t.Errorf("%v became %v, %v", set, again, err)
		}
	})
}
