// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzAuthorize looks for browsers that are sent to an address that is not registered, and for
// markup that gets through the page.
func FuzzAuthorize(f *testing.F) {
	s := &Server{Key: testKey()}
	for _, redirect := range []string{spaPage, publicPage, "http://127.0.0.1:8000/#x",
		"http://127.0.0.1:8000/\r\nx", "http://127.0.0.1:1@evil.example/", "http://localhost/",
		"//127.0.0.1/", "http://127.0.0.1:/"} {
		f.Add(redirect, `"><script>alert(1)</script>`, "user@contoso.example")
	}
	f.Add(spaPage, "a\r\nLocation: x", `<img src=x>`)
	handler := s.Entra()
	d := Contoso()
	registered := slices.Concat(d.Registration.SPA, d.Registration.PublicClient)
	f.Fuzz(func(t *testing.T, redirect, state, hint string) {
		q := url.Values{"client_id": {d.ClientID}, "response_type": {"code"},
			"response_mode": {"fragment"}, "redirect_uri": {redirect}, "scope": {"openid"},
			"state": {state}, "login_hint": {hint}}
		for _, account := range []string{"", hint, "user@contoso.example"} {
			r := httptest.NewRequest("POST", "/"+d.TenantID+"/oauth2/v2.0/authorize?"+q.Encode(),
				strings.NewReader(url.Values{"account": {account}}.Encode()))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, r)
			to, body := rec.Header().Get("Location"), rec.Body.String()
			if strings.Contains(body, "<script") || strings.Contains(body, "<img") {
				t.Errorf("markup: %s", body)
			}
			if to == "" {
				continue
			}
			u, err := url.Parse(to)
			if err != nil || strings.ContainsAny(to, "\r\n\x00") {
				t.Fatalf("%q: %v", to, err)
			}
			u.Fragment, u.RawFragment, u.Host = "", "", u.Hostname()
			if !slices.Contains(registered, u.String()) {
				t.Errorf("%q leads to %q", redirect, to)
			}
			if v, _ := url.ParseQuery(to[strings.IndexByte(to, '#')+1:]); v.Get("state") != state {
				t.Errorf("state %q became %q", state, v.Get("state"))
			}
		}
	})
}
