// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestAuthorizeErrors has the answers without a code that the browser is sent back with.
func TestAuthorizeErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		fields []string
		error  string
		aadsts string
	}{
		{"no response type", []string{"response_type", ""}, "invalid_request", "AADSTS900144:"},
		{"implicit", []string{"response_type", "id_token"}, "unsupported_response_type",
			"AADSTS700054:"},
		{"no scope", []string{"scope", ""}, "invalid_request", "AADSTS900144:"},
		{"unknown scope", []string{"scope", "openid " + myApp + "/x"},
			"invalid_client", "AADSTS650053:"},
		{"unknown resource", []string{"scope", "api://x/y"}, "invalid_resource", "AADSTS500011:"},
		{"no scope at all", []string{"scope", ".x"}, "invalid_scope", "AADSTS70011:"},
		{"short challenge", []string{"code_challenge", "short"},
			"invalid_request", "AADSTS501491:"},
		{"unknown method", []string{"code_challenge_method", "S512"},
			"invalid_request", "AADSTS501491:"},
		{"method alone", []string{"code_challenge", ""}, "invalid_request", "AADSTS501491:"},
	} {
		w := newWorld(t)
		for _, method := range []string{"GET", "POST"} {
			v := w.visit(method, w.authorizeURL(test.fields...), "account", "user@contoso.example").
				fragment(t, spaPage)
			if v.Get("error") != test.error || !strings.HasPrefix(v.Get("error_description"),
				test.aadsts) || v.Get("state") != "the state" || v.Has("code") {
				t.Errorf("%s: %v", test.name, v)
			}
		}
	}
}

// A browser that cannot be sent back stays on a page.
func TestAuthorizeStays(t *testing.T) {
	for _, test := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"another address", []string{"redirect_uri", "http://127.0.0.1:8000/other"}, "AADSTS50011"},
		{"no slash", []string{"redirect_uri", "http://127.0.0.1:8000"}, "AADSTS50011"},
		{"a query", []string{"redirect_uri", spaPage + "?x"}, "AADSTS50011"},
		{"https", []string{"redirect_uri", "https://127.0.0.1:8000/"}, "AADSTS50011"},
		{"another host", []string{"redirect_uri", "http://127.0.0.2/"}, "AADSTS50011"},
		{"userinfo", []string{"redirect_uri", "http://127.0.0.1@evil.example/"}, "AADSTS50011"},
		{"no address", []string{"redirect_uri", ""}, "AADSTS900144"},
		{"another client", []string{"client_id", otherApp}, "AADSTS700016"},
		{"no client", []string{"client_id", ""}, "AADSTS900144"},
	} {
		w := newWorld(t)
		for _, method := range []string{"GET", "POST"} {
			a := w.visit(method, w.authorizeURL(test.fields...), "account", "user@contoso.example")
			if a.status != 200 || a.header.Get("Location") != "" ||
				!strings.Contains(a.body, test.want) {
				t.Errorf("%s: %d to %q: %s", test.name, a.status, a.header.Get("Location"), a.body)
			}
		}
	}
	w := newWorld(t)
	a := w.visit("GET", strings.Replace(w.authorizeURL(), w.directory().TenantID, foreignTenant, 1))
	if !strings.Contains(a.body, "AADSTS90002") {
		t.Errorf("another tenant: %s", a.body)
	}
	if a := w.visit("DELETE", w.authorizeURL()); a.status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", a.status)
	}
}

// A browser can meet policies that a device code cannot.
func TestAuthorizePolicies(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(*Directory)
		page    string
		managed bool
		aadsts  int
	}{
		{"device codes blocked", func(d *Directory) {
			d.Policies = []Policy{{Name: "p", AuthenticationFlows: []string{DeviceCode},
				Grant: "block"}}
		}, spaPage, false, 0},
		{"by security defaults",
			func(d *Directory) {
				d.SecurityDefaults, d.SecurityDefaultsBlockDeviceCode = true, true
			}, spaPage, false, 0},
		{"no second factor", func(d *Directory) {
			d.SecurityDefaults, d.Users[1].NoMFA = true, true
		}, spaPage, false, 50079},
		{"managed device", func(d *Directory) {
			d.Policies = []Policy{{Name: "p", Grant: "managed-device"}}
		}, spaPage, true, 0},
		{"unmanaged device", func(d *Directory) {
			d.Policies = []Policy{{Name: "p", Grant: "managed-device"}}
		}, spaPage, false, 53000},
		{"no domain", func(d *Directory) {
			d.Policies = []Policy{{Name: "p", Grant: "domain-joined-device"}}
		}, publicPage, false, 53001},
		{"blocked", func(d *Directory) {
			d.Policies = []Policy{{Name: "p", Grant: "block"}}
		}, publicPage, true, 53003},
		{"browsers blocked", func(d *Directory) {
			d.Policies = []Policy{{Name: "p", ClientApps: []string{"browser"}, Grant: "block"}}
		}, spaPage, false, 53003},
		{"browsers blocked, a public client", func(d *Directory) {
			d.Policies = []Policy{{Name: "p", ClientApps: []string{"browser"}, Grant: "block"}}
		}, publicPage, false, 0},
	} {
		w := newWorld(t)
		w.change(test.change)
		next, err := w.Authorize(w.authorizeURL("redirect_uri", test.page),
			"user@contoso.example", test.managed)
		var no *Refused
		switch {
		case test.aadsts == 0 && (err != nil || !strings.HasPrefix(next, test.page+"#code=")):
			t.Errorf("%s: %q, %v", test.name, next, err)
		case test.aadsts != 0 && (!errors.As(err, &no) || no.AADSTS != test.aadsts):
			t.Errorf("%s: %q, %v", test.name, next, err)
		}
		form := []string{"account", "user@contoso.example"}
		if test.managed {
			form = append(form, "device", "managed")
		}
		a := w.visit("POST", w.authorizeURL("redirect_uri", test.page), form...)
		if (a.status == http.StatusFound) != (test.aadsts == 0) ||
			strings.Contains(a.body, "with a code") {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
	}
}
