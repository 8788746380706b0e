// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

const (
	user   = "user@contoso.example"
	admin  = "admin@contoso.example"
	norole = "norole@contoso.example"

	userOID  = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
	adminOID = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
)

func TestFirstSignIn(t *testing.T) {
	m := newMachine(t, "")
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Success, "", "signed-in")
	if len(conv.prompts) != 1 || !strings.Contains(conv.prompts[0], m.entra.VerificationURI()) {
		t.Errorf("prompts: %q", conv.prompts)
	}
	want := m.person(user, userOID)
	a := m.stored(user)
	if a.UID != want.UID || a.ObjectID != want.ObjectID || a.TenantID != want.TenantID || a.Admin ||
		a.Home != want.Home {
		t.Errorf("stored %+v", a)
	}
	g, err := m.grant(a.UID)
	if err != nil || g.ObjectID != userOID || g.TenantID != a.TenantID || g.Admin ||
		g.Service != "sshd" || g.RemoteHost != "192.0.2.7" || g.Source != "check-access" {
		t.Errorf("grant %+v, %v", g, err)
	}
	// The host waits longer than the worker. Otherwise the person would never hear why the attempt
	// ended.
	if len(conv.deadlines) != 1 || conv.deadlines[0] != 280*time.Second+slack {
		t.Errorf("deadlines %v", conv.deadlines)
	}
	for _, r := range m.entra.Requests() {
		if r.Endpoint == "devicecode" && strings.Contains(r.Scope, "offline_access") {
			t.Errorf("asked for a refresh token: %q", r.Scope)
		}
	}
}

func TestAdministrator(t *testing.T) {
	m := newMachine(t, "")
	got, conv := m.signIn(m.request(admin), admin)
	ended(t, got, conv, Success, "", `decision="administrator"`)
	a := m.stored(admin)
	if g, err := m.grant(a.UID); !a.Admin || err != nil || !g.Admin {
		t.Errorf("stored %+v, grant %+v, %v", a, g, err)
	}
}

// None of these results of the browser lets anybody in or stores anything.
func TestNotSignedIn(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) *emulator.Forgery {
		return &emulator.Forgery{Claims: map[string]any{name: value}}
	}
	for _, test := range []struct {
		name   string
		as     string // or
		do     func(*machine, string) error
		forge  *emulator.Forgery
		want   Verdict
		told   string
		logged string
	}{
		{name: "other account", as: admin, want: Refused, told: "This sign-in is for " + user +
			", but " + admin + " signed in", logged: "other-account"},
		{name: "declined", do: func(m *machine, code string) error { return m.entra.Decline(code) },
			want: Refused, told: "declined", logged: "sign-in-refused"},
		{name: "expired", do: func(m *machine, code string) error { return m.entra.Expire(code) },
			want: Refused, told: "not finished in the browser in time", logged: "expired"},
		{name: "unsigned token", as: user, forge: &emulator.Forgery{Sign: emulator.None},
			want: Refused, told: "could not be trusted", logged: "token-refused"},
		{name: "stranger's token", as: user, forge: &emulator.Forgery{Sign: emulator.Stranger},
			want: Refused, told: "could not be trusted", logged: "token-refused"},
		{name: "other tenant", as: user,
			forge: claim("tid", "99999999-9999-9999-9999-999999999999"), want: Refused,
			told: "could not be trusted", logged: "token-refused"},
		{name: "other audience", as: user,
			forge: claim("aud", "99999999-9999-9999-9999-999999999999"), want: Refused,
			told: "could not be trusted", logged: "token-refused"},
		{name: "no object id", as: user, forge: claim("oid", nil), want: Refused,
			told: "could not be trusted", logged: "token-refused"},
		{name: "name in capitals", as: user,
			forge: claim("preferred_username", "User@Contoso.Example"),
			want:  Success, logged: "signed-in"},
		{name: "a look-alike name", as: user,
			forge: claim("preferred_username", "uſer@contoso.example"), want: Refused,
			told: "This sign-in is for", logged: "other-account"},
		{name: "name with a second line", as: user,
			forge: claim("preferred_username", user+"\nx\x1b[2J"), want: Refused,
			told:   user + " x[2J signed in",
			logged: `browser_account="user@contoso.example\x0ax\x1b[2J"`},
		{name: "name of another domain", as: user,
			forge: claim("preferred_username", "user@fabrikam.example"), want: Refused,
			told: "user@fabrikam.example signed in", logged: "other-account"},
		{name: "no role", as: norole, want: Denied,
			told: "Access denied:  to sign-in you be assigned a role with action " +
				"'Microsoft.Compute/virtualMachines/login/action'",
			logged: `denied reason="no-role"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, "")
			m.entra.Forge(test.forge)
			name := user
			if test.as == norole {
				name = norole
			}
			do := func(code string) error { return m.entra.SignIn(code, test.as) }
			if test.do != nil {
				do = func(code string) error { return test.do(m, code) }
			}
			got, conv := m.run(m.request(name), do)
			ended(t, got, conv, test.want, test.told, test.logged)
			if test.want != Success {
				m.unknown(name)
				if _, err := m.grant(m.firstID(name)); err == nil {
					t.Error("there is a grant")
				}
			}
		})
	}
}

// Servers that are down, or answer something else, let nobody in.
func TestServersThatFail(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		fault  emulator.Fault
		want   Verdict
		told   string
		logged string
	}{
		{emulator.Fault{Endpoint: "instance", Status: 400, Body: "\x00garbage"}, Misconfigured,
			"does not say which machine this is", "metadata-refused"},
		{emulator.Fault{Endpoint: "instance", Status: 400,
			Body: `{"error":"invalid_request","error_description":"The api-version is invalid. Supported are 2019-11-01 2019-08-15"}`},
			Misconfigured, "does not say which machine this is",
			"Supported are 2019-11-01 2019-08-15"},
		{emulator.Fault{Endpoint: "instance", Status: 400,
			Body: `{"error":"Bad request. api-version is invalid","newest-versions":["2030-01-01","2029-01-01"]}`},
			Misconfigured, "does not say which machine this is",
			"Newest versions: 2030-01-01 2029-01-01"},
		{emulator.Fault{Endpoint: "instance", Status: 404,
			Body: `{"error":"Not found. Invalid version requested"}`}, Misconfigured,
			"does not say which machine this is", "metadata-refused"},
		{emulator.Fault{Endpoint: "instance",
			Body: `{"azEnvironment":"Nowhere\u001b[2J","resourceId":"/"}`}, Unreachable,
			"metadata service of this machine", "unreachable"},
		{emulator.Fault{Endpoint: "instance",
			Body: `{"azEnvironment":"AzurePublicCloud","resourceId":"/../../evil"}`}, Unreachable,
			"metadata service of this machine", "unreachable"},
		{emulator.Fault{Endpoint: "openid", Body: "garbage"}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "openid", Body: `{"issuer":"https://evil.example"}`},
			Misconfigured, "not configured correctly", "configuration-error"},
		{emulator.Fault{Endpoint: "openid", Status: 400, Error: "invalid_tenant", AADSTS: 90002},
			Misconfigured, "not configured correctly", "configuration-error"},
		{emulator.Fault{Endpoint: "devicecode", Body: "garbage"}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "devicecode", Body: `{"user_code":"\u001b[2J"}`}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "devicecode", Status: 401, Error: "invalid_client",
			AADSTS: 7000218}, Misconfigured, "Allow public client flows", `aadsts="7000218"`},
		{emulator.Fault{Endpoint: "devicecode", Status: 400,
			Error: "odd\u001b[2J\nsigned-in x=\"y"}, Refused,
			"refused this sign-in", "sign-in-refused"},
		{emulator.Fault{Endpoint: "token", Status: 400, Error: "invalid_grant", AADSTS: 50076},
			Refused, "aka.ms/mfasetup", `aadsts="50076"`},
		{emulator.Fault{Endpoint: "keys", Body: `{"keys":[]}`}, Unreachable,
			"sign-in service", "unreachable"},
		{emulator.Fault{Endpoint: "checkaccess", Body: "garbage"}, Unreachable,
			"authorization service of Azure", "unreachable"},
		{emulator.Fault{Endpoint: "checkaccess", Body: "[]"}, Denied, "Access denied:", "denied"},
		{emulator.Fault{Endpoint: "checkaccess", Status: 403, Error: "AuthorizationFailed"},
			Unreachable, "does not let it ask", "authorization-not-asked"},
		{emulator.Fault{Endpoint: "identity", Status: 400, Error: "invalid_request"}, Unreachable,
			"does not let it ask", "managed identity token"},
	} {
		t.Run(test.fault.Endpoint+" "+test.fault.Error+test.fault.Body, func(t *testing.T) {
			m := newMachine(t, "")
			m.entra.Fail(test.fault)
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, test.want, test.told, test.logged)
			m.unknown(user)
		})
	}
}

// If the person hangs up, everything ends, and nobody is let in.
func TestCancelled(t *testing.T) {
	m := newMachine(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	conv := &said{answer: func(string) { cancel() }}
	got := m.signin.Authenticate(ctx, m.request(user), conv)
	if got == Success || len(conv.told) != 1 {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
	m.unknown(user)
}

// An attempt gives its slot back, however it ends.
func TestSlotIsGivenBack(t *testing.T) {
	m := newMachine(t, "sign_in.max_waiting = 1")
	for range 3 {
		got, conv := m.run(m.request(user), m.entra.Decline)
		ended(t, got, conv, Refused, "declined", "sign-in-refused")
	}
	full := m.request(user)
	got, conv := m.run(m.request(user), func(code string) error {
		nested := new(said)
		verdict := m.signin.Authenticate(t.Context(), full, nested)
		ended(t, verdict, nested, Unreachable, "Too many sign-ins are waiting on this machine",
			`too-many-waiting`)
		return m.entra.Decline(code)
	})
	ended(t, got, conv, Refused, "declined", "sign-in-refused")
	if n := m.requests("devicecode"); n != 4 {
		t.Errorf("%d device codes, want 4: a full machine asks for none", n)
	}
}
