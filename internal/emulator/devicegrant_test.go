// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDeviceCode(t *testing.T) {
	w := newWorld(t)
	m := w.form("devicecode", "client_id", w.directory().ClientID, "scope", "openid").object(t)
	if ok, _ := regexp.MatchString(`^[A-Z0-9]{9}$`, m["user_code"].(string)); !ok {
		t.Errorf("user code %v", m["user_code"])
	}
	if m["verification_uri"] != w.MetadataURL()+"/devicelogin" {
		t.Errorf("verification_uri %v", m["verification_uri"])
	}
	if m["interval"] != 1.0 || m["expires_in"] != 900.0 {
		t.Errorf("interval %v, expires_in %v", m["interval"], m["expires_in"])
	}
	if !strings.Contains(m["message"].(string), m["user_code"].(string)) {
		t.Errorf("message %v", m["message"])
	}
	if _, ok := m["verification_uri_complete"]; ok {
		t.Error("verification_uri_complete was not asked for")
	}
	w.change(func(d *Directory) {
		d.VerificationURI, d.VerificationURIComplete = "https://x.example/d", true
	})
	m = w.form("devicecode", "client_id", w.directory().ClientID, "scope", "openid").object(t)
	want := "https://x.example/d?code=" + m["user_code"].(string)
	if m["verification_uri_complete"] != want {
		t.Errorf("verification_uri_complete %v, want %s", m["verification_uri_complete"], want)
	}
}

// TestStates goes through every course of a sign-in.
func TestStates(t *testing.T) {
	type step struct {
		do     func(w *world, user string)
		status int
		error  string
		code   float64
	}
	wait := func(d time.Duration) func(*world, string) {
		return func(w *world, _ string) { w.pass(d) }
	}
	signIn := func(w *world, user string) {
		if err := w.SignIn(user, "user@contoso.example"); err != nil {
			w.t.Error(err)
		}
	}
	pending := step{wait(time.Second), 400, "authorization_pending", 70016}
	tests := map[string][]step{
		"signs in": {pending, pending, {signIn, 200, "", 0}},
		"once": {{signIn, 200, "", 0},
			{wait(time.Second), 400, "bad_verification_code", 70018}},
		"declines": {pending, {func(w *world, c string) { w.Decline(c) }, 400,
			"authorization_declined", 0}},
		"expires": {pending, {wait(900 * time.Second), 400, "expired_token", 70019}},
		"expires at once": {{func(w *world, c string) { w.Expire(c) },
			400, "expired_token", 70019}},
		"late redemption": {{func(w *world, c string) {
			signIn(w, c)
			w.pass(900 * time.Second)
		}, 400, "expired_token", 70019}},
		"too fast": {
			pending, {wait(100 * time.Millisecond), 400, "slow_down", 0},
			{wait(time.Second), 400, "slow_down", 0}, // the interval is 6 s by now
			{wait(11 * time.Second), 400, "authorization_pending", 70016},
		},
		"lenient": {
			{func(w *world, _ string) { w.change(func(d *Directory) { d.Lenient = true }) }, 400,
				"authorization_pending", 70016},
			{wait(0), 400, "authorization_pending", 70016},
		},
		"account gone": {{func(w *world, c string) {
			signIn(w, c)
			w.change(func(d *Directory) {
				d.Users = slices.DeleteFunc(d.Users,
					func(u User) bool { return u.Name == "user@contoso.example" })
				d.Assignments = nil
			})
		}, 400, "invalid_grant", 50034}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			user, device := w.start("openid profile")
			for i, s := range steps {
				s.do(w, user)
				a := w.poll(device)
				m := a.object(t)
				if a.status != s.status || s.error != "" && m["error"] != s.error {
					t.Fatalf("step %d: %d %s, want %d %s", i, a.status, a.body, s.status, s.error)
				}
				if codes, _ := m["error_codes"].([]any); s.code != 0 &&
					(len(codes) != 1 || codes[0] != s.code) {
					t.Errorf("step %d: error_codes %v, want %v", i, codes, s.code)
				}
			}
		})
	}
}

func TestTokenRequestRefused(t *testing.T) {
	w := newWorld(t)
	_, device := w.start("openid")
	id := w.directory().ClientID
	tests := []struct {
		name   string
		error  string
		fields []string
	}{
		{"no grant type", "invalid_request", []string{"client_id", id, "device_code", device}},
		{"another grant", "unsupported_grant_type", []string{"client_id", id, "grant_type",
			"password", "device_code", device}},
		{"no code", "invalid_request", []string{"client_id", id, "grant_type", rfcGrant}},
		{"another client", "unauthorized_client", []string{"client_id", device, "grant_type",
			rfcGrant, "device_code", device}},
		{"another code", "bad_verification_code", []string{"client_id", id, "grant_type",
			rfcGrant, "device_code", id}},
		{"older spelling", "authorization_pending", []string{"client_id", id, "grant_type",
			"device_code", "device_code", device}},
	}
	for _, test := range tests {
		if a := w.form("token", test.fields...); a.status != 400 ||
			a.object(t)["error"] != test.error {
			t.Errorf("%s: %d %s, want %s", test.name, a.status, a.body, test.error)
		}
	}
	url := w.EntraURL() + "/" + w.directory().TenantID + "/oauth2/v2.0/devicecode"
	if a := w.do("GET", url, ""); a.status != 400 || a.object(t)["error"] != "invalid_request" {
		t.Errorf("GET: %d %s", a.status, a.body)
	}
	a := w.do("POST", strings.Replace(url, w.directory().TenantID, foreignTenant, 1), "")
	if a.object(t)["error"] != "invalid_tenant" {
		t.Errorf("another tenant: %s", a.body)
	}
	a = w.do("POST", url, "%zz", "Content-Type", "application/x-www-form-urlencoded")
	if a.status != 400 {
		t.Errorf("broken form: %d", a.status)
	}
}

// TestErrorShape checks every member that clients and support rely on.
func TestErrorShape(t *testing.T) {
	w := newWorld(t)
	const mine = "12345678-1234-1234-1234-123456789abc"
	a := w.do("POST", w.EntraURL()+"/contoso.example/oauth2/v2.0/token",
		values("client_id", w.directory().ClientID, "grant_type", rfcGrant, "device_code", "x"),
		"Content-Type", "application/x-www-form-urlencoded", "client-request-id", mine)
	m := a.object(t)
	for _, key := range []string{"error", "error_description", "error_codes", "timestamp",
		"trace_id", "correlation_id", "error_uri"} {
		if m[key] == nil {
			t.Errorf("no %s in %s", key, a.body)
		}
	}
	if m["correlation_id"] != mine || !isGUID(m["trace_id"].(string)) {
		t.Errorf("ids: %s", a.body)
	}
	lines := strings.Split(m["error_description"].(string), "\r\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "AADSTS70018: ") ||
		lines[2] != "Correlation ID: "+mine {
		t.Errorf("description %q", lines)
	}
}

func TestTokenContents(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		scope            string
		id, oid, refresh bool
		granted          string
	}{
		{"openid profile", true, true, false, "openid profile email"},
		{"openid profile offline_access", true, true, true, "openid profile email"},
		{"openid", true, false, false, "openid email"},
		{"profile", false, false, false, "profile"},
	}
	for _, test := range tests {
		user, device := w.start(test.scope)
		w.SignIn(user, "Admin@Contoso.example")
		m := w.form("token", "client_id", w.directory().ClientID, "grant_type", rfcGrant,
			"device_code", device, "client_info", "1").object(t)
		id, has := m["id_token"].(string)
		if has != test.id {
			t.Errorf("%s: id_token %v", test.scope, has)
		}
		if has && (claimsOf(t, id)["oid"] != nil) != test.oid {
			t.Errorf("%s: claims %v", test.scope, claimsOf(t, id))
		}
		if _, has := m["refresh_token"]; has != test.refresh {
			t.Errorf("%s: refresh_token %v", test.scope, has)
		}
		if m["scope"] != test.granted || m["token_type"] != "Bearer" || m["access_token"] == "" {
			t.Errorf("%s: %v", test.scope, m)
		}
		var info struct{ UID, UTID string }
		raw, _ := base64.RawURLEncoding.DecodeString(m["client_info"].(string))
		if json.Unmarshal(raw, &info); info.UID != "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb" ||
			info.UTID != w.directory().TenantID {
			t.Errorf("client_info %s", raw)
		}
	}
}

func TestUserCodesDiffer(t *testing.T) {
	seen := make(map[string]bool)
	letters := make(map[rune]bool)
	for range 2000 {
		c := userCode()
		if seen[c] {
			t.Fatalf("%s twice", c)
		}
		seen[c] = true
		for _, r := range c {
			letters[r] = true
		}
	}
	if len(letters) != 36 {
		t.Errorf("%d characters in use, want 36", len(letters))
	}
}

func TestCodeAsTyped(t *testing.T) {
	w := newWorld(t)
	for _, spell := range []func(string) string{
		strings.ToLower,
		func(c string) string { return " " + c[:4] + "-" + c[4:] + " " },
	} {
		user, device := w.start("openid")
		if err := w.SignIn(spell(user), " USER@contoso.example "); err != nil {
			t.Errorf("%q: %v", spell(user), err)
		}
		if a := w.poll(device); a.status != http.StatusOK {
			t.Errorf("%q: %s", spell(user), a.body)
		}
	}
}

// A domain leads to its tenant. A domain without a tenant is a different error.
func TestDomainsOfTenants(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Elsewhere = map[string]string{"fabrikam.example": foreignTenant}
	})
	for domain, tenant := range map[string]string{"contoso.example": w.directory().TenantID,
		"Fabrikam.example": foreignTenant, "nowhere.example": ""} {
		m := w.do("GET", w.EntraURL()+"/"+domain+"/v2.0/.well-known/openid-configuration", "").
			object(t)
		if issuer := w.EntraURL() + "/" + tenant + "/v2.0"; tenant != "" && m["issuer"] != issuer ||
			tenant == "" && m["error"] != "invalid_tenant" {
			t.Errorf("%s: %v", domain, m)
		}
	}
}
