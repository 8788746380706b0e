// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	spaPage    = "http://127.0.0.1:8000/"
	publicPage = "http://127.0.0.1:8000/index.html"
	// This is the example of RFC 7636, Appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// authorizeURL returns the address that an application sends a browser to. An empty value removes a
// field.
func (w *world) authorizeURL(fields ...string) string {
	q := url.Values{
		"client_id": {w.directory().ClientID}, "response_type": {"code"},
		"response_mode": {"fragment"}, "redirect_uri": {spaPage}, "scope": {ownScope},
		"state": {"the state"}, "nonce": {"the nonce"}, "code_challenge": {challenge},
		"code_challenge_method": {"S256"}, "login_hint": {"user@contoso.example"},
	}
	for i := 0; i < len(fields); i += 2 {
		if q.Set(fields[i], fields[i+1]); fields[i+1] == "" {
			q.Del(fields[i])
		}
	}
	return w.EntraURL() + "/" + w.directory().TenantID + "/oauth2/v2.0/authorize?" + q.Encode()
}

// visit sends a request like a browser that does not follow redirects.
func (w *world) visit(method, address string, form ...string) answer {
	w.t.Helper()
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return w.do(method, address, values(form...), "Content-Type",
		"application/x-www-form-urlencoded")
}

// fragment returns the values with which the answer sends the browser back.
func (a answer) fragment(t *testing.T, to string) url.Values {
	t.Helper()
	text, ok := strings.CutPrefix(a.header.Get("Location"), to+"#")
	v, err := url.ParseQuery(text)
	if a.status != http.StatusFound || !ok || err != nil {
		t.Fatalf("%d to %q, %v: %s", a.status, a.header.Get("Location"), err, a.body)
	}
	return v
}

// code returns an authorization code for the page, issued to user@contoso.example.
func (w *world) code(page string, fields ...string) string {
	w.t.Helper()
	next, err := w.Authorize(w.authorizeURL(append([]string{"redirect_uri", page}, fields...)...),
		"user@contoso.example", false)
	if err != nil {
		w.t.Fatal(err)
	}
	u, _ := url.Parse(next)
	v, _ := url.ParseQuery(u.Fragment)
	if v.Get("code") == "" {
		w.t.Fatalf("no code: %s", next)
	}
	return v.Get("code")
}

// redeemCode asks for the tokens. A script of the page sends an Origin.
func (w *world) redeemCode(code, page, origin string, more ...string) answer {
	w.t.Helper()
	f := url.Values{"grant_type": {"authorization_code"}, "client_id": {w.directory().ClientID},
		"code": {code}, "redirect_uri": {page}, "code_verifier": {verifier}}
	for i := 0; i < len(more); i += 2 {
		if f.Set(more[i], more[i+1]); more[i+1] == "" {
			f.Del(more[i])
		}
	}
	header := []string{"Content-Type", "application/x-www-form-urlencoded"}
	if origin != "" {
		header = append(header, "Origin", origin)
	}
	return w.do("POST", w.EntraURL()+"/"+w.directory().TenantID+"/oauth2/v2.0/token", f.Encode(),
		header...)
}

const origin = "http://127.0.0.1:8000"

// TestAuthorize goes the whole way in the browser, for both platforms.
func TestAuthorize(t *testing.T) {
	for page, from := range map[string]string{spaPage: origin, publicPage: ""} {
		w := newWorld(t)
		address := w.authorizeURL("redirect_uri", page)
		a := w.visit("GET", address)
		if a.status != 200 || !strings.Contains(a.body, `value="user@contoso.example"`) ||
			!strings.Contains(a.body, `id="sign-in"`) || strings.Contains(a.body, "<script") {
			t.Errorf("%d %s", a.status, a.body)
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy,
			"form-action 'self' http://127.0.0.1:8000;") {
			t.Errorf("policy %s", policy)
		}
		v := w.visit("POST", address, "account", "user@contoso.example").fragment(t, page)
		if v.Get("state") != "the state" || !isGUID(v.Get("session_state")) {
			t.Errorf("%v", v)
		}
		code := v.Get("code")
		if !regexp.MustCompile(`^1\.A[\w-]{60}\.[\w-]+$`).MatchString(code) ||
			len(code) < 1500 || len(code) > 1650 {
			t.Errorf("%d characters: %s", len(code), code)
		}
		a = w.redeemCode(code, page, from)
		c := claimsOf(t, a.object(t)["id_token"].(string))
		if a.status != 200 || c["nonce"] != "the nonce" ||
			c["preferred_username"] != "user@contoso.example" || c["sid"] == nil {
			t.Errorf("%d %v", a.status, c)
		}
		if cors := a.header.Get("Access-Control-Allow-Origin"); (cors == "*") != (from != "") {
			t.Errorf("CORS %q for %q", cors, from)
		}
		if secrets := strings.Join(w.Secrets(), " "); !strings.Contains(secrets, code) {
			t.Error("the code is no secret")
		}
		if a := w.redeemCode(code, page, from); a.object(t)["error_codes"].([]any)[0] != 54005.0 {
			t.Errorf("again: %s", a.body)
		}
	}
}

// The page tells the person, and the application gets an answer.
func TestAuthorizePage(t *testing.T) {
	w := newWorld(t)
	v := w.visit("POST", w.authorizeURL(), "account", "user@contoso.example", "decline", "1").
		fragment(t, spaPage)
	if v.Get("error") != "access_denied" || v.Get("error_subcode") != "cancel" ||
		v.Get("state") != "the state" {
		t.Errorf("cancelled: %v", v)
	}
	for account, want := range map[string]string{"": "Enter the name of your account.",
		"x@y": "There is no account “x@y”"} {
		if a := w.visit("POST", w.authorizeURL(), "account", account); a.status != 400 ||
			!strings.Contains(a.body, want) {
			t.Errorf("%q: %d %s", account, a.status, a.body)
		}
	}
	a := w.do("POST", w.authorizeURL(), values("account", "user@contoso.example"), "Content-Type",
		"application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site",
		"Origin", "https://evil.example")
	if a.status != http.StatusForbidden {
		t.Errorf("from another site: %d", a.status)
	}
	w.change(func(d *Directory) { d.Registration.ConsentRequired = true })
	a = w.visit("POST", w.authorizeURL(), "account", "user@contoso.example", "device", "managed")
	if a.status != 200 || !strings.Contains(a.body, myApp+"/sign-in</li>") ||
		!strings.Contains(a.body, `name="device" value="managed"`) {
		t.Errorf("consent: %d %s", a.status, a.body)
	}
	w.visit("POST", w.authorizeURL(), "account", "user@contoso.example", "accept", "1").
		fragment(t, spaPage)
	// This gives the consent.
	w.visit("POST", w.authorizeURL(), "account", "user@contoso.example").fragment(t, spaPage)
	w.change(func(d *Directory) { d.UserConsent, d.Registration.ConsentRequired = "none", true })
	a = w.visit("POST", w.authorizeURL(), "account", "admin@contoso.example")
	if !strings.Contains(a.body, "90094") {
		t.Errorf("an administrator's consent: %s", a.body)
	}
}

// The answer goes behind ? unless the request asks for a fragment.
func TestAuthorizeQuery(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) { d.Registration.Web = []string{"https://a.example/?x=1"} })
	for page, want := range map[string]string{publicPage: publicPage + "?code=1.A",
		"https://a.example/?x=1": "https://a.example/?x=1&code=1.A"} {
		next, err := w.Authorize(w.authorizeURL("redirect_uri", page, "response_mode", ""),
			"user@contoso.example", false)
		if err != nil || !strings.HasPrefix(next, want) {
			t.Errorf("%q, %v", next, err)
		}
	}
}

// Another process can do the same through the control endpoint.
func TestControlAuthorize(t *testing.T) {
	w := newWorld(t)
	body := func(account string) string {
		return `{"address":"` + w.authorizeURL() + `","account":"` + account + `","managed":true}`
	}
	a := w.do("POST", w.MetadataURL()+"/emulator/authorize", body("user@contoso.example"))
	location, _ := a.object(t)["location"].(string)
	u, _ := url.Parse(location)
	v, _ := url.ParseQuery(u.Fragment)
	if a.status != 200 || v.Get("code") == "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	w.do("DELETE", w.MetadataURL()+"/emulator/authorization-codes", "")
	a = w.redeemCode(v.Get("code"), spaPage, origin)
	if a.object(t)["error_codes"].([]any)[0] != 70008.0 {
		t.Errorf("%s", a.body)
	}
	if a := w.do("POST", w.MetadataURL()+"/emulator/authorize", body("x@y")); a.status != 404 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// An organization's web server serves the file at two addresses.
func TestSignInPage(t *testing.T) {
	w := newWorld(t)
	if a := w.do("GET", w.MetadataURL()+signInPath, ""); a.status != 404 {
		t.Errorf("%d", a.status)
	}
	w.SignInPage = []byte("<p>page")
	for _, path := range []string{"", "index.html"} {
		if a := w.do("GET", w.MetadataURL()+signInPath+path, ""); a.status != 200 ||
			a.body != "<p>page" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%q: %d %s", path, a.status, a.body)
		}
	}
	w.PageFile = filepath.Join(t.TempDir(), "page.html")
	if a := w.do("GET", w.MetadataURL()+signInPath, ""); a.status != 404 {
		t.Errorf("before it is written: %d", a.status)
	}
	if err := os.WriteFile(w.PageFile, []byte("<p>file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := w.do("GET", w.MetadataURL()+signInPath, ""); a.status != 200 || a.body != "<p>file" {
		t.Errorf("%d %s", a.status, a.body)
	}
}
