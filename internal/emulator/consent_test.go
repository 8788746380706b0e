// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"strings"
	"testing"
)

// The table says who may consent to what, and what needs no consent.
func TestConsent(t *testing.T) {
	low := []string{"openid", "profile"}
	tests := []struct {
		name  string
		users string // user_consent
		admin []string
		pre   []string
		scope string
		ok    bool
	}{
		{"people may", "", nil, nil, ownScope, true},
		{"people may not", "none", nil, nil, "openid profile", false},
		{"low impact", "low-impact", nil, nil, "openid profile", true},
		{"own scope is not low", "low-impact", nil, nil, ownScope, false},
		{"own scope pre-authorized", "low-impact", nil, []string{"sign-in"}, ownScope, true},
		{"pre-authorized alone", "none", nil, []string{"sign-in"}, ownScope, false},
		{"pre-authorized, the rest by an administrator", "none", low, []string{"sign-in"}, ownScope,
			true},
		{"all by an administrator", "none", append([]string{myApp + "/sign-in"}, low...), nil,
			ownScope, true},
		{"by its URI", "none", append([]string{"api://" + myApp + "/sign-in"}, low...), nil,
			ownScope, true},
		{"some by an administrator", "none", low, nil, ownScope, false},
	}
	for _, test := range tests {
		w := newWorld(t)
		w.change(func(d *Directory) {
			d.UserConsent, d.Users[0].Administrator = test.users, true
			r := &d.Registration
			r.ConsentRequired, r.AdminConsent, r.PreAuthorized = true, test.admin, test.pre
		})
		user, _ := w.start(test.scope)
		if err := w.SignIn(user, "user@contoso.example"); (err == nil) != test.ok {
			t.Errorf("%s: %v", test.name, err)
		}
		user, _ = w.start(test.scope)
		if err := w.SignIn(user, "admin@contoso.example"); err != nil {
			t.Errorf("%s: administrator: %v", test.name, err)
		}
	}
}

// The first consent makes it for everybody.
func TestServicePrincipal(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) { d.Registration.NoServicePrincipal = true })
	for _, scope := range []string{"openid profile", ownScope} {
		user, device := w.start(scope)
		if err := w.SignIn(user, "user@contoso.example"); err != nil {
			t.Errorf("%s: %v", scope, err)
		}
		if a := w.poll(device); a.status != 200 {
			t.Error(a.body)
		}
	}
}

// The page asks once, and Cancel declines.
func TestPageConsent(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) { d.Registration.ConsentRequired = true })
	user, device := w.start(ownScope)
	a := w.post("code", user, "account", "user@contoso.example")
	if a.status != 200 || !strings.Contains(a.body, myApp+"/sign-in</li>") ||
		!strings.Contains(a.body, `name="accept"`) || strings.Contains(a.body, success) {
		t.Errorf("asked: %d %s", a.status, a.body)
	}
	if got := w.poll(device).object(t)["error"]; got != "authorization_pending" {
		t.Errorf("before: %v", got)
	}
	a = w.post("code", user, "account", "user@contoso.example", "accept", "1")
	if !strings.Contains(a.body, success) {
		t.Errorf("accepted: %s", a.body)
	}
	user, _ = w.start(ownScope)
	if a := w.post("code", user, "account", "user@contoso.example"); !strings.Contains(a.body,
		success) {
		t.Errorf("asked again: %s", a.body)
	}
	user, device = w.start(ownScope)
	w.post("code", user, "account", "admin@contoso.example", "decline", "1")
	if got := w.poll(device).object(t)["error"]; got != "authorization_declined" {
		t.Errorf("cancelled: %v", got)
	}
}
