// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const ownScope = "openid profile " + myApp + "/sign-in"

// With the application's own scope, policies can exclude the application or be for it alone. With
// baseline scopes they cannot.
func TestApplicationIsResource(t *testing.T) {
	blockBut := Policy{Name: "codes", AuthenticationFlows: []string{DeviceCode},
		ExcludeResources: []string{myApp}, Grant: "block"}
	aimed := Policy{Name: "factor", Resources: []string{myApp}, Grant: "mfa"}
	tests := []struct {
		name     string
		policy   Policy
		scope    string
		aadsts   int
		resource string
		mfa      bool
	}{
		{"excluded", blockBut, "openid profile", 53003, DirectoryApp, false},
		{"excluded, own scope", blockBut, ownScope, 0, myApp, false},
		{"aimed", aimed, "openid profile", 0, DirectoryApp, false},
		{"aimed, own scope", aimed, ownScope, 0, myApp, true},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.change(func(d *Directory) { d.Policies = []Policy{test.policy} })
		user, device := w.start(test.scope)
		var no *Refused
		if err := w.SignIn(user, "user@contoso.example"); errors.As(err,
			&no) != (test.aadsts != 0) {
			t.Errorf("%s: %v", test.name, err)
		}
		c := w.Codes()[0]
		if c.AADSTS != test.aadsts || c.Resource != test.resource || c.MFA != test.mfa ||
			c.Account != "user@contoso.example" {
			t.Errorf("%s: %+v", test.name, c)
		}
		if a := w.poll(device); (a.status == 200) != (test.aadsts == 0) {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
	}
}

// The access token is for the application itself, and the answer lists no scope of Graph.
func TestOwnToken(t *testing.T) {
	w := newWorld(t)
	user, device := w.start(ownScope)
	w.SignIn(user, "user@contoso.example")
	m := w.poll(device).object(t)
	c := claimsOf(t, m["access_token"].(string))
	if c["aud"] != myApp || c["scp"] != "sign-in" || c["azp"] != myApp ||
		c["oid"] != "dddddddd-3333-4444-5555-eeeeeeeeeeee" {
		t.Errorf("access token %v", c)
	}
	if id := claimsOf(t, m["id_token"].(string)); id["aud"] != myApp || id["scp"] != nil {
		t.Errorf("ID token %v", id)
	}
	if m["scope"] != myApp+"/sign-in" {
		t.Errorf("scope %v", m["scope"])
	}
}

// TestBlocked has the answers to the machine after a sign-in that the browser refused.
func TestBlocked(t *testing.T) {
	block := []Policy{{Name: "codes", AuthenticationFlows: []string{DeviceCode}, Grant: "block"}}
	device := []Policy{{Name: "managed", Grant: "managed-device"}}
	tests := []struct {
		name    string
		change  func(*Directory)
		scope   string
		aadsts  int
		policy  string
		error   string // "": pending until the code expires
		told    float64
		suberr  any
		claims  bool
		another bool // an account that is let in may still use the code
	}{
		{"block", func(d *Directory) { d.Policies = block }, "openid", 53003, "codes",
			"", 0, nil, false, false},
		{"managed", func(d *Directory) { d.Policies = device }, "openid", 53000, "managed",
			"", 0, nil, false, false},
		{"invalid_grant", func(d *Directory) {
			d.Policies, d.Polling = block, "invalid_grant"
		}, "openid", 53003, "codes", "invalid_grant", 53003, "message_only", false, false},
		{"interaction_required", func(d *Directory) {
			d.Policies, d.Polling = block, "interaction_required"
		}, "openid", 53003, "codes", "interaction_required", 53003, "message_only", true, false},
		{"the policy's word", func(d *Directory) {
			d.Policies, d.Polling = []Policy{block[0]}, "invalid_grant"
			d.Policies[0].Polling = "access_denied"
		}, "openid", 53003, "codes", "access_denied", 53003, nil, false, false},
		{"one user", func(d *Directory) {
			d.Policies = []Policy{block[0]}
			d.Policies[0].Users = []string{"user@contoso.example"}
		}, "openid", 53003, "codes", "", 0, nil, false, true},
		{"security defaults",
			func(d *Directory) {
				d.SecurityDefaults, d.SecurityDefaultsBlockDeviceCode = true, true
			}, ownScope, 530035, "", "", 0, nil, false, false},
		{"no such scope", func(*Directory) {}, "openid " + myApp + "/other", 650053, "",
			"", 0, nil, false, false},
		{"no consent", func(d *Directory) {
			d.Registration.ConsentRequired, d.UserConsent = true, "none"
		}, ownScope, 90094, "", "", 0, nil, false, false},
		{"no consent, told", func(d *Directory) {
			d.Registration.ConsentRequired, d.UserConsent, d.Polling = true, "none", "invalid_grant"
		}, ownScope, 90094, "", "invalid_grant", 65001, "consent_required", false, false},
		{"no service principal", func(d *Directory) { d.Registration.NoServicePrincipal = true },
			ownScope, 650052, "", "", 0, nil, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.change(test.change)
			user, device := w.start(test.scope)
			var no *Refused
			if err := w.SignIn(user, "user@contoso.example"); !errors.As(err, &no) ||
				no.AADSTS != test.aadsts || no.Policy != test.policy {
				t.Fatalf("%v, %+v", err, no)
			}
			if c := w.Codes()[0]; c.State != Blocked || c.AADSTS != test.aadsts ||
				c.Policy != test.policy || len(w.PendingCodes()) != 0 {
				t.Errorf("%+v", c)
			}
			m := w.poll(device).object(t)
			if test.error == "" {
				if m["error"] != "authorization_pending" {
					t.Errorf("%v", m)
				}
				if err := w.SignIn(user, "admin@contoso.example"); test.another != (err == nil) {
					t.Errorf("another account: %v", err)
				}
				w.pass(900 * time.Second)
				if got := w.poll(device).object(t)["error"]; got != "expired_token" {
					t.Errorf("at the end: %v", got)
				}
				return
			}
			if m["error"] != test.error || m["error_codes"].([]any)[0] != test.told ||
				m["suberror"] != test.suberr || (m["claims"] != nil) != test.claims {
				t.Errorf("%v", m)
			}
			if err := w.SignIn(user, "admin@contoso.example"); !errors.Is(err, ErrUsedCode) {
				t.Errorf("another account: %v", err)
			}
		})
	}
}

// The browser reports success, and the token endpoint refuses.
func TestNotRedeemable(t *testing.T) {
	tests := []struct {
		name, scope string
		change      func(*Registration)
		status      int
		error       string
		aadsts      float64
	}{
		{"two resources", ownScope + " https://management.azure.com/user_impersonation",
			func(*Registration) {}, 400, "invalid_request", 28000},
		{"Graph beside", ownScope + " User.Read", func(*Registration) {}, 400,
			"invalid_request", 28000},
		{"URI", "openid api://" + myApp + "/sign-in",
			func(r *Registration) { r.ForItself = "guid" }, 400, "invalid_request", 90009},
		{"GUID", ownScope, func(r *Registration) { r.ForItself = "guid" }, 200, "", 0},
		{"neither", ownScope, func(r *Registration) { r.ForItself = "none" }, 400,
			"invalid_request", 90009},
		{"neither, baseline", "openid", func(r *Registration) { r.ForItself = "none" }, 200, "", 0},
		{"no public client", "openid", func(r *Registration) { r.Confidential = true }, 401,
			"invalid_client", 7000218},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.change(func(d *Directory) { test.change(&d.Registration) })
		user, device := w.start(test.scope)
		if err := w.SignIn(user, "user@contoso.example"); err != nil {
			t.Errorf("%s: browser: %v", test.name, err)
		}
		a := w.poll(device)
		m := a.object(t)
		if a.status != test.status || test.error != "" &&
			(m["error"] != test.error || m["error_codes"].([]any)[0] != test.aadsts) {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
	}
}

// The page tells the number, and what the person can do.
func TestPageRefused(t *testing.T) {
	tests := []struct {
		change func(*Directory)
		scope  string
		want   []string
	}{
		{func(d *Directory) { d.Policies = []Policy{{Name: "codes", Grant: "block"}} }, "openid",
			[]string{"<h1 tabindex=\"-1\" autofocus>No access</h1>", "Error code: 53003",
				"does not let you sign in this way", "App id: " + myApp}},
		{func(d *Directory) { d.Policies = []Policy{{Name: "p", Grant: "managed-device"}} },
			"openid", []string{"Error code: 53000", "managed device"}},
		{func(d *Directory) {
			d.SecurityDefaults, d.SecurityDefaultsBlockDeviceCode = true, true
		}, "openid", []string{"Error code: 530035"}},
		{func(d *Directory) {
			d.Registration.ConsentRequired, d.UserConsent = true, "none"
		}, "openid", []string{"An administrator has to approve", "Error code: 90094"}},
		{func(*Directory) {}, "openid " + myApp + "/<b>", []string{"Sign-in does not work",
			"AADSTS650053", "&lt;b&gt;"}},
		{func(*Directory) {}, "api://nobody/x",
			[]string{"AADSTS500011: The resource principal named api://nobody"}},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.change(test.change)
		user, _ := w.start(test.scope)
		a := w.post("code", user, "account", "user@contoso.example")
		for _, want := range test.want {
			if a.status != 200 || !strings.Contains(a.body, want) ||
				strings.Contains(a.body, success) {
				t.Errorf("no %q: %d %s", want, a.status, a.body)
			}
		}
		if log := w.Requests(); !strings.HasPrefix(log[len(log)-1].Error, "AADSTS") {
			t.Errorf("log: %+v", log[len(log)-1])
		}
	}
}
