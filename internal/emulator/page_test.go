// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// post sends the page's form.
func (w *world) post(fields ...string) answer {
	w.t.Helper()
	return w.do("POST", w.VerificationURI(), values(fields...), "Content-Type",
		"application/x-www-form-urlencoded")
}

const success = "You have signed in to the Microsoft Azure Linux Virtual Machine Sign-In " +
	"application on your device."

func TestPage(t *testing.T) {
	w := newWorld(t)
	user, device := w.start("openid")
	first := w.do("GET", w.VerificationURI(), "")
	if first.status != 200 || !strings.Contains(first.body, `name="code"`) ||
		!strings.Contains(first.body, "autofocus") {
		t.Errorf("first: %d %s", first.status, first.body)
	}
	second := w.post("code", strings.ToLower(user))
	if second.status != 200 || !strings.Contains(second.body, `name="account"`) ||
		!strings.Contains(second.body, `value="`+user+`"`) {
		t.Errorf("second: %d %s", second.status, second.body)
	}
	if w.PendingCodes()[0].UserCode != user {
		t.Error("the code alone changed something")
	}
	last := w.post("code", user, "account", "user@contoso.example")
	if last.status != 200 || !strings.Contains(last.body, success) {
		t.Errorf("last: %d %s", last.status, last.body)
	}
	for _, a := range []answer{first, second, last} {
		if !strings.Contains(a.body, "not a page of Microsoft’s") ||
			strings.Contains(a.body, "<script") {
			t.Errorf("unmarked, or with a script: %s", a.body)
		}
	}
	if a := w.poll(device); a.status != 200 {
		t.Errorf("token: %s", a.body)
	}
}

func TestPagePrefilled(t *testing.T) {
	w := newWorld(t)
	for _, key := range []string{"code", "otc"} {
		a := w.do("GET", w.VerificationURI()+"?"+key+"=ABC123XYZ", "")
		if !strings.Contains(a.body, `value="ABC123XYZ"`) ||
			!strings.Contains(a.body, "only if your device shows this very code") {
			t.Errorf("%s: %s", key, a.body)
		}
	}
	if a := w.do("GET", w.MetadataURL()+"/", ""); !strings.Contains(a.body, `name="code"`) {
		t.Errorf("the root does not lead to the page: %s", a.body)
	}
}

func TestPageProblems(t *testing.T) {
	w := newWorld(t)
	expired, _ := w.start("openid")
	w.pass(time.Hour / 2)
	pending, device := w.start("openid")
	used, _ := w.start("openid")
	w.SignIn(used, "user@contoso.example")
	tests := []struct {
		name   string
		fields []string
		want   string
	}{
		{"no code", nil, "Enter the code that your device shows."},
		{"blank code", []string{"code", " - "}, "Enter the code that your device shows."},
		{"unknown code", []string{"code", "ZZZ"}, "That code is not known."},
		{"expired code", []string{"code", expired}, "This code has expired."},
		{"used code", []string{"code", used, "account", "admin@contoso.example"},
			"This code has been used already."},
		{"no account", []string{"code", pending, "account", " "},
			"Enter the name of your account."},
		{"unknown account", []string{"code", pending, "account", "x@y"},
			"There is no account “x@y” in this directory."},
		{"unknown code declined", []string{"code", "ZZZ", "decline", "1"},
			"That code is not known."},
	}
	for _, test := range tests {
		a := w.post(test.fields...)
		if a.status != 400 || !strings.Contains(a.body, test.want) ||
			strings.Contains(a.body, success) {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
	}
	if a := w.do("DELETE", w.VerificationURI(), ""); a.status != 405 {
		t.Errorf("DELETE: %d", a.status)
	}
	if a := w.poll(device); a.object(t)["error"] != "authorization_pending" {
		t.Errorf("a problem decided the sign-in: %s", a.body)
	}
}

func TestPageDecline(t *testing.T) {
	w := newWorld(t)
	user, device := w.start("openid")
	if a := w.post("code", user, "account", "", "decline", "1"); a.status != 200 ||
		!strings.Contains(a.body, "You declined.") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := w.poll(device); a.object(t)["error"] != "authorization_declined" {
		t.Error(a.body)
	}
}

// A code is accepted in any spelling.
func TestPageTyped(t *testing.T) {
	w := newWorld(t)
	user, _ := w.start("openid")
	for _, typed := range []string{strings.ToLower(user), " " + user + "\n", user[:3] + "-" +
		user[3:6] + " " + user[6:], user[:5] + "\u00a0–\u2003" + user[5:]} {
		if a := w.post("code", typed); a.status != 200 ||
			!strings.Contains(a.body, `name="account"`) {
			t.Errorf("%q: %d %s", typed, a.status, a.body)
		}
	}
}

// A misspelled code comes back to be corrected, and one that has ended does not.
func TestPageCodeStays(t *testing.T) {
	w := newWorld(t)
	user, _ := w.start("openid")
	w.Expire(user)
	if a := w.post("code", "MISSPELT1"); !strings.Contains(a.body, `value="MISSPELT1"`) {
		t.Error(a.body)
	}
	if a := w.post("code", user); strings.Contains(a.body, user) {
		t.Error(a.body)
	}
}

// The page can load and run nothing, and its only style is allowed.
func TestPagePolicy(t *testing.T) {
	w := newWorld(t)
	a := w.do("GET", w.VerificationURI(), "")
	_, style, _ := strings.Cut(a.body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'sha256-" +
			base64.StdEncoding.EncodeToString(sum[:]) +
			"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"Cache-Control":          "no-store",
		"Referrer-Policy":        "no-referrer",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// A page elsewhere must not sign people in through their browser.
func TestCrossSite(t *testing.T) {
	w := newWorld(t)
	user, _ := w.start("openid")
	a := w.do("POST", w.VerificationURI(), values("code", user, "account", "user@contoso.example"),
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site",
		"Origin", "https://evil.example")
	if a.status != http.StatusForbidden || len(w.PendingCodes()) != 1 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// FuzzPage looks for markup that gets through the page, from the code, the
// account and the address.
func FuzzPage(f *testing.F) {
	s := &Server{Key: testKey()}
	user := s.issueCode("openid", "", time.Now(), 1000*time.Hour, time.Second).user
	for _, x := range []string{`"><script>alert(1)</script>`, `' onfocus='x`, `</style><img src=x>`,
		"\x00\xff", `{{.Code}}`, "javascript:x"} {
		f.Add(x, x)
		f.Add(user, x)
	}
	page := s.Metadata()
	tags := func(body string) int { return strings.Count(body, "<") }
	serve := func(r *http.Request) string {
		rec := httptest.NewRecorder()
		page.ServeHTTP(rec, r)
		return rec.Body.String()
	}
	f.Fuzz(func(t *testing.T, code, account string) {
		get := serve(httptest.NewRequest("GET", pagePath+"?"+url.Values{"code": {code}}.Encode(),
			nil))
		if want := tags(serve(httptest.NewRequest("GET", pagePath, nil))); tags(get) != want {
			t.Errorf("GET: %d tags, want %d: %s", tags(get), want, get)
		}
		// Nobody has this account, so the code stays usable.
		form := url.Values{"code": {code}, "account": {account + "@nowhere"}}
		r := httptest.NewRequest("POST", pagePath, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		body := serve(r)
		if strings.Contains(body, success) {
			t.Errorf("signed in with %q, %q", code, account)
		}
		for _, step := range []view{{Step: "code", Problem: "x"}, {Step: "account", Problem: "x",
			Accounts: Contoso().Users}} {
			var b strings.Builder
			pageTemplate.Execute(&b, step)
			if tags(body) == tags(b.String()) {
				return
			}
		}
		t.Errorf("tags that no step has: %s", body)
	})
}
