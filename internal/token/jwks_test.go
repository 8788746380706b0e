// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"aadlogin/internal/guid"
)

func TestParseKeysUsesOnlySigningKeysOfTheIssuer(t *testing.T) {
	issuer := "https://h.example/" + testTenant + "/v2.0"
	consumers := "https://h.example/" + guid.Consumers + "/v2.0"
	template := "https://h.example/{tenantid}/v2.0"
	current := public("current")
	weak := &rsa.PublicKey{N: mustKey(t, 1024).N, E: 65537}
	tests := []struct {
		name string
		more map[string]any
		key  *rsa.PublicKey
		ok   bool
	}{
		{"of this issuer", map[string]any{"issuer": issuer}, current, true},
		{"of the template", map[string]any{"issuer": template}, current, true},
		{"without issuer", map[string]any{"issuer": ""}, current, true},
		{"of another issuer", map[string]any{"issuer": issuer + "/"}, current, false},
		{"of the consumer tenant", map[string]any{"issuer": consumers}, current, false},
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

// of returns metadata of the tenant.
func of(issuer string) *Metadata { return &Metadata{TenantID: testTenant, Issuer: issuer} }

// The key set of the public cloud holds keys of US Government that name the public issuer. A holder
// of such a key must not sign anybody in here. A set in which the member has another meaning, or is
// missing, may lose none of its keys.
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

// Two keys have one kid. Either of them may be the attacker's.
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

// FuzzKeys checks that no accepted key is weak or without a name, and that a set of just these keys
// reads the same.
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
		again, err := parseKeys(keysJSON(t, keys...), of("i"))
		if len(set) > 0 && (err != nil || !reflect.DeepEqual(set, again)) {
			t.Errorf("%v became %v, %v", set, again, err)
		}
	})
}
