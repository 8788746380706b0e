// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/guid"
)

func TestDiscover(t *testing.T) {
	a := newAuthority(t)
	m, err := a.provider("").Discover(t.Context(), a.URL+"/", strings.ToUpper(testTenant))
	if err != nil {
		t.Fatal(err)
	}
	if m.TenantID != testTenant || m.Issuer != a.issuer() ||
		m.TokenEndpoint != a.metadata["token_endpoint"] ||
		m.DeviceAuthorizationEndpoint != a.metadata["device_authorization_endpoint"] ||
		m.JWKSURI != a.metadata["jwks_uri"] || !json.Valid(m.Raw) {
		t.Errorf("%+v", m)
	}
}

func TestDiscoverRefusesForeignDocument(t *testing.T) {
	tests := []struct {
		member string
		value  any
		want   string
	}{
		{"issuer", "https://h.example/22222222-2222-4333-8444-5555555555aa/v2.0", "not of tenant"},
		{"issuer", "https://h.example/" + testTenant + "b/v2.0", "not of tenant"},
		{"issuer", "https://h.example/?" + testTenant, "not an https URL"},
		{"issuer", "http://h.example/" + testTenant, "not an https URL"},
		{"issuer", nil, "not an https URL"},
		{"issuer", 7, "expected form"},
		{"token_endpoint", "https://login.microsoftonline.us/x", "not on the configured authority"},
		{"token_endpoint", "http://login.example/x", "not an https URL"},
		{"device_authorization_endpoint", nil, "not an https URL"},
		{"jwks_uri", "https://keys.example/", "not on the configured authority"},
		{"authorization_endpoint", "javascript:alert(1)", "not an https URL"},
		{"Issuer", "https://h.example", "twice"},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.member, "=", test.value), func(t *testing.T) {
			a := newAuthority(t)
			a.metadata[test.member] = test.value
			dir := filepath.Join(t.TempDir(), "cache")
			_, err := a.provider(dir).Discover(t.Context(), a.URL, testTenant)
			var bad *DocumentError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), test.want) ||
				errors.Is(err, ErrUnreachable) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a refused document was cached")
			}
		})
	}
}

func TestDiscoverOutages(t *testing.T) {
	for _, fault := range []string{"reset", "truncated", "html", "huge", "404 html", "429", "500"} {
		a := newAuthority(t)
		a.broken = fault
		_, err := a.provider("").Discover(t.Context(), a.URL, testTenant)
		if !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v, want ErrUnreachable", fault, err)
		}
	}
}

func TestDiscoverUnknownTenant(t *testing.T) {
	a := newAuthority(t)
	a.broken = "400 tenant"
	_, err := a.provider("").Discover(t.Context(), a.URL, testTenant)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != "invalid_tenant" ||
		refused.AADSTS[0] != 90002 || errors.Is(err, ErrUnreachable) {
		t.Errorf("got %v", err)
	}
}

func TestDiscoverBadArguments(t *testing.T) {
	a := newAuthority(t)
	for _, test := range []struct{ authority, tenant string }{
		{"http://login.example", testTenant},
		{"login.example", testTenant},
		{"https://user@login.example", testTenant},
		{"https://login.example?x", testTenant},
		{a.URL, "common"},
		{a.URL, "../" + testTenant[3:]},
		{a.URL, strings.ToUpper(guid.Consumers)},
	} {
		if _, err := a.provider("").Discover(t.Context(), test.authority, test.tenant); err == nil {
			t.Errorf("%v accepted", test)
		}
	}
	if a.asked["metadata"] != 0 {
		t.Error("the network was asked")
	}
}

func TestDiscoverCache(t *testing.T) {
	a := newAuthority(t)
	s := a.provider(filepath.Join(t.TempDir(), "cache"))
	discover := func(requests int, why string) {
		t.Helper()
		if _, err := s.Discover(t.Context(), a.URL, testTenant); err != nil {
			t.Fatalf("%s: %v", why, err)
		}
		if a.asked["metadata"] != requests {
			t.Fatalf("%s: %d requests, want %d", why, a.asked["metadata"], requests)
		}
	}
	discover(1, "cold")
	discover(1, "warm")
	a.now = a.now.Add(maxAge - time.Second)
	discover(1, "nearly a day old")
	a.now = a.now.Add(time.Second)
	discover(2, "a day old")
	a.now = a.now.Add(-time.Hour)
	discover(3, "the clock was stepped back")
}

// The cache is validated like an answer from the network.
func TestDiscoverDistrustsTheCache(t *testing.T) {
	a := newAuthority(t)
	s := a.provider(filepath.Join(t.TempDir(), "cache"))
	if _, err := s.Discover(t.Context(), a.URL, testTenant); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(s.CacheDir, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	foreign := bytes.ReplaceAll(text, []byte("{tenantid}"), []byte(guid.Consumers))
	if bytes.Equal(foreign, text) {
		t.Fatal("the document has no template")
	}
	if err := os.WriteFile(files[0], foreign, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.Discover(t.Context(), a.URL, testTenant)
	if err != nil || a.asked["metadata"] != 2 {
		t.Errorf("%d requests, %v", a.asked["metadata"], err)
	}
}

// FuzzMetadata checks that accepted metadata stays on the host and with the tenant, and reads the
// same when written out again.
func FuzzMetadata(f *testing.F) {
	const host = "login.example"
	base := "https://" + host + "/" + testTenant
	write := func(t testing.TB, m *Metadata) []byte {
		return mustJSON(t, map[string]string{
			"issuer": m.Issuer, "authorization_endpoint": m.AuthorizationEndpoint,
			"token_endpoint":                m.TokenEndpoint,
			"device_authorization_endpoint": m.DeviceAuthorizationEndpoint, "jwks_uri": m.JWKSURI,
			"cloud_instance_name": m.cloud,
		})
	}
	for _, issuer := range []string{
		base + "/v2.0", "https://" + host + "/{tenantid}/v2.0", "https://x/",
		"http://" + host + "/{tenantid}",
	} {
		for _, keys := range []string{
			base + "/keys", "https://LOGIN.example/keys", "https://login.example:444/",
			"https://user@" + host, "//" + host,
		} {
			f.Add(write(f, &Metadata{
				"", issuer, base, base + "/token", base + "/devicecode", keys, nil, "",
			}))
		}
	}
	f.Add(write(f, &Metadata{"", base, base, base, base, base, nil, "microsoftonline.com"}))
	f.Add([]byte(`{"issuer":"https://x/","ISSUER":"` + base + `"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parseMetadata(body, host, testTenant)
		if err != nil {
			return
		}
		for _, endpoint := range []string{
			m.AuthorizationEndpoint, m.TokenEndpoint, m.DeviceAuthorizationEndpoint, m.JWKSURI,
		} {
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, host) ||
				u.User != nil {
				t.Errorf("endpoint %q", endpoint)
			}
		}
		if !strings.HasPrefix(strings.ToLower(m.Issuer), "https://") ||
			!strings.Contains(strings.ToLower(m.Issuer), "/"+testTenant) {
			t.Errorf("issuer %q", m.Issuer)
		}
		again, err := parseMetadata(write(t, m), host, testTenant)
		if err != nil {
			t.Fatalf("%+v is refused: %v", m, err)
		}
		again.Raw = m.Raw
		if !reflect.DeepEqual(again, m) {
			t.Errorf("%+v became %+v", m, again)
		}
	})
}
