// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
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
	// The example of RFC 7636, Appendix B.
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// authorizeURL is the address that an application sends a browser to; an empty
// value takes a field away.
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

// visit is a browser that does not follow the redirect.
func (w *world) visit(method, address string, form ...string) answer {
	w.t.Helper()
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return w.do(method, address, values(form...), "Content-Type",
		"application/x-www-form-urlencoded")
}

// fragment is what the answer sends the browser back with.
func (a answer) fragment(t *testing.T, to string) url.Values {
	t.Helper()
	text, ok := strings.CutPrefix(a.header.Get("Location"), to+"#")
	v, err := url.ParseQuery(text)
	if a.status != http.StatusFound || !ok || err != nil {
		t.Fatalf("%d to %q, %v: %s", a.status, a.header.Get("Location"), err, a.body)
	}
	return v
}

// code is an authorization code for the page, given out to user@contoso.example.
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

// redeemCode asks for the tokens; an Origin comes from a script of that page.
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

// The whole way in the browser, for both platforms.
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

// What the browser is sent back with when there is no code.
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

// Who cannot be sent back stays on a page.
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
	if a := w.visit("GET", strings.Replace(w.authorizeURL(), w.directory().TenantID, foreignTenant,
		1)); !strings.Contains(a.body, "AADSTS90002") {
		t.Errorf("another tenant: %s", a.body)
	}
	if a := w.visit("DELETE", w.authorizeURL()); a.status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", a.status)
	}
}

// What the person meets on the page, and what the application hears of it.
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
	// has consented
	w.visit("POST", w.authorizeURL(), "account", "user@contoso.example").fragment(t, spaPage)
	w.change(func(d *Directory) { d.UserConsent, d.Registration.ConsentRequired = "none", true })
	if a := w.visit("POST", w.authorizeURL(), "account",
		"admin@contoso.example"); !strings.Contains(a.body, "90094") {
		t.Errorf("an administrator's consent: %s", a.body)
	}
}

// What device codes cannot do is what the browser is there for.
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

// The answer goes behind ? for who does not ask for a fragment.
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

// Another process does the same.
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
	if a := w.redeemCode(v.Get("code"), spaPage,
		origin); a.object(t)["error_codes"].([]any)[0] != 70008.0 {
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
