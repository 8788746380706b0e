// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package token

import (
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
)

func TestDiscover(t *testing.T) {
	a := newAuthority(t)
	m, err := a.source("").Discover(t.Context(), a.URL+"/", strings.ToUpper(testTenant))
	if err != nil {
		t.Fatal(err)
	}
	if m.TenantID != testTenant || m.Issuer != a.issuer() || m.TokenEndpoint != a.metadata["token_endpoint"] ||
		m.DeviceAuthorizationEndpoint != a.metadata["device_authorization_endpoint"] || m.JWKSURI != a.metadata["jwks_uri"] || !json.Valid(m.Raw) {
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
			_, err := a.source(dir).Discover(t.Context(), a.URL, testTenant)
			var bad *DocumentError
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrUnreachable) {
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
		if _, err := a.source("").Discover(t.Context(), a.URL, testTenant); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v, want ErrUnreachable", fault, err)
		}
	}
}

func TestDiscoverUnknownTenant(t *testing.T) {
	a := newAuthority(t)
	a.broken = "400 tenant"
	_, err := a.source("").Discover(t.Context(), a.URL, testTenant)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != "invalid_tenant" || refused.AADSTS[0] != 90002 || errors.Is(err, ErrUnreachable) {
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
		{a.URL, strings.ToUpper(consumers)},
	} {
		if _, err := a.source("").Discover(t.Context(), test.authority, test.tenant); err == nil {
			t.Errorf("%v accepted", test)
		}
	}
	if a.asked["metadata"] != 0 {
		t.Error("the network was asked")
	}
}

func TestDiscoverCache(t *testing.T) {
	a := newAuthority(t)
	s := a.source(filepath.Join(t.TempDir(), "cache"))
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

// Nobody but the effective user can have written what is believed.
func TestCacheDistrustsWhatOthersCouldWrite(t *testing.T) {
	spoil := map[string]func(dir, file string) error{
		"directory open to the group": func(dir, file string) error { return os.Chmod(dir, 0o770) },
		"file open to others":         func(dir, file string) error { return os.Chmod(file, 0o606) },
		"link": func(dir, file string) error {
			if err := os.Rename(file, file+".x"); err != nil {
				return err
			}
			return os.Symlink(file+".x", file)
		},
		"directory in its place": func(dir, file string) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			return os.Mkdir(file, 0o700)
		},
		"link to the directory": func(dir, file string) error {
			if err := os.Rename(dir, dir+".x"); err != nil {
				return err
			}
			return os.Symlink(dir+".x", dir)
		},
		"garbage":   func(dir, file string) error { return os.WriteFile(file, []byte("\x00{"), 0o600) },
		"empty":     func(dir, file string) error { return os.WriteFile(file, nil, 0o600) },
		"other URL": func(dir, file string) error { return rewrite(file, func(e *entry) { e.URL += "x" }) },
		"other tenant's document": func(dir, file string) error {
			return rewrite(file, func(e *entry) { e.Body = strings.ReplaceAll(e.Body, "{tenantid}", consumers) })
		},
	}
	if os.Geteuid() == 0 {
		spoil["file of another user"] = func(dir, file string) error { return os.Chown(file, 12345, 0) }
		spoil["directory of another user"] = func(dir, file string) error { return os.Chown(dir, 12345, 0) }
	}
	for name, spoil := range spoil {
		t.Run(name, func(t *testing.T) {
			a := newAuthority(t)
			dir := filepath.Join(t.TempDir(), "cache")
			s := a.source(dir)
			if _, err := s.Discover(t.Context(), a.URL, testTenant); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "*.json"))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			if err := spoil(dir, files[0]); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Discover(t.Context(), a.URL, testTenant); err != nil || a.asked["metadata"] != 2 {
				t.Errorf("%d requests, %v", a.asked["metadata"], err)
			}
		})
	}
}

func rewrite(file string, change func(*entry)) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var e entry
	if err := json.Unmarshal(text, &e); err != nil {
		return err
	}
	change(&e)
	if text, err = json.Marshal(e); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func TestCacheModes(t *testing.T) {
	a := newAuthority(t)
	dir := filepath.Join(t.TempDir(), "cache")
	if _, err := a.source(dir).Discover(t.Context(), a.URL, testTenant); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	info, _ := entries[0].Info()
	if info.Mode().Perm() != 0o600 {
		t.Errorf("file mode %v", info.Mode())
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("directory mode %v", info.Mode())
	}
}

// FuzzMetadata: whatever is accepted keeps to the host and the tenant, and
// reads the same once written out again.
func FuzzMetadata(f *testing.F) {
	const host = "login.example"
	base := "https://" + host + "/" + testTenant
	write := func(t testing.TB, m *Metadata) []byte {
		return mustJSON(t, map[string]string{
			"issuer": m.Issuer, "authorization_endpoint": m.AuthorizationEndpoint, "token_endpoint": m.TokenEndpoint,
			"device_authorization_endpoint": m.DeviceAuthorizationEndpoint, "jwks_uri": m.JWKSURI,
		})
	}
	for _, issuer := range []string{base + "/v2.0", "https://" + host + "/{tenantid}/v2.0", "https://x/", "http://" + host + "/{tenantid}"} {
		for _, keys := range []string{base + "/keys", "https://LOGIN.example/keys", "https://login.example:444/", "https://user@" + host, "//" + host} {
			f.Add(write(f, &Metadata{"", issuer, base, base + "/token", base + "/devicecode", keys, nil}))
		}
	}
	f.Add([]byte(`{"issuer":"https://x/","ISSUER":"` + base + `"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := parseMetadata(body, host, testTenant)
		if err != nil {
			return
		}
		for _, endpoint := range []string{m.AuthorizationEndpoint, m.TokenEndpoint, m.DeviceAuthorizationEndpoint, m.JWKSURI} {
			u, err := url.Parse(endpoint)
			if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Host, host) || u.User != nil {
				t.Errorf("endpoint %q", endpoint)
			}
		}
		if !strings.HasPrefix(strings.ToLower(m.Issuer), "https://") || !strings.Contains(strings.ToLower(m.Issuer), "/"+testTenant) {
			t.Errorf("issuer %q", m.Issuer)
		}
		again, err := parseMetadata(write(t, m), host, testTenant)
		if err != nil || !reflect.DeepEqual(again, &Metadata{m.TenantID, m.Issuer, m.AuthorizationEndpoint, m.TokenEndpoint,
			m.DeviceAuthorizationEndpoint, m.JWKSURI, again.Raw}) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	})
}
