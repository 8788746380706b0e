// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/emulator"
)

// The account phase alone authorizes an account that has signed in before, by object id and without
// a word to the person.
func TestAgain(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.person(user, userOID))
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Success, "", "6 authorized account=")
	if len(conv.deadlines) != 1 || conv.deadlines[0] != accountTimeout+slack {
		t.Errorf("deadlines %v", conv.deadlines)
	}
	if n := m.requests("devicecode") + m.requests("openid"); n != 0 {
		t.Errorf("Entra was asked %d times", n)
	}
	g, err := m.grant(m.firstID(user))
	if err != nil || g.ObjectID != userOID || g.Service != "sshd" {
		t.Errorf("grant %+v, %v", g, err)
	}
}

func TestAgainNeverSignedIn(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*machine){
		"no store":       func(*machine) {},
		"not stored":     func(m *machine) { m.put(m.person(admin, adminOID)) },
		"never bound":    func(m *machine) { m.put(m.imported(user)) },
		"another's name": func(m *machine) { m.put(m.person("other@contoso.example", userOID)) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "authorization.grant_lifetime = \"1h\"")
			prepare(m)
			got, conv := m.again(m.request(user))
			if got == Success || m.requests("") != 0 {
				t.Errorf("verdict %d, %d requests, told %q, logged %q", got,
					m.requests(""), conv.told, conv.logged)
			}
			if name != "no store" {
				ended(t, got, conv, Denied, "never signed in here with a browser",
					"never-signed-in")
			}
		})
	}
}

func TestAgainWithoutRole(t *testing.T) {
	m := newMachine(t, "authorization.grant_lifetime = \"1h\"")
	a := m.person(user, userOID)
	a.Admin = true
	m.put(a)
	m.record(a, time.Now(), true)
	m.assign(user, "")
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Denied, "Access denied:", "denied")
	if _, err := m.grant(a.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
	if m.stored(user).Admin {
		t.Error("still an administrator")
	}
	// No grant is left to stand in for Azure.
	m.entra.Fail(emulator.Fault{Endpoint: "arm", Reset: true})
	if got, conv = m.again(m.request(user)); got != Unreachable {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
}

// Azure is not asked about a locked account, even if an earlier sign-in left a grant.
func TestAgainLocked(t *testing.T) {
	m := newMachine(t, "authorization.grant_lifetime = \"1h\"")
	a := m.person(user, userOID)
	a.Locked = time.Now()
	m.put(a)
	m.record(a, time.Now(), false)
	m.entra.Fail(emulator.Fault{Endpoint: "arm", Reset: true})
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Denied, "has been locked on this machine", "locked-account")
	if n := m.requests(""); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// record stores what an earlier authorization would have left.
func (m *machine) record(a account.Account, at time.Time, admin bool) {
	m.t.Helper()
	err := m.store.RecordGrant(a.UID, account.Grant{
		TenantID: a.TenantID, ObjectID: a.ObjectID, ConfigDigest: m.configDigest(), Admin: admin,
		Moment: account.Moment{Time: at}})
	if err != nil {
		m.t.Fatal(err)
	}
}

// While Azure cannot be asked, the last grant stands in for the configured time, and only for what
// it was given for.
func TestLastGrant(t *testing.T) {
	t.Parallel()
	const (
		hour    = "authorization.grant_lifetime = \"1h\"\n"
		covered = "authorization.grant_covers_administrators = true\n"
	)
	for _, test := range []struct {
		name    string
		lines   string
		age     time.Duration
		change  func(*machine, *account.Account, *Request)
		admin   bool
		demoted bool // by a check since the grant
		status  int  // HTTP status of the answer; 0: none comes
		want    Verdict
	}{
		{name: "Azure overloaded", lines: hour, age: time.Minute, status: 503, want: Success},
		{name: "Azure refuses to say", lines: hour, age: time.Minute,
			status: 403, want: Unreachable},
		{name: "a session with the administrators' group", lines: hour,
			age: time.Minute, want: Unreachable,
			change: func(_ *machine, _ *account.Account, r *Request) {
				r.Service, r.HoldsAdmins = "sudo", true
			}},
		{name: "a session with the administrators' group, of one", lines: hour, age: time.Minute,
			admin: true, want: Unreachable,
			change: func(_ *machine, _ *account.Account, r *Request) {
				r.Service, r.HoldsAdmins = "sudo", true
			}},
		{name: "the same, covered", lines: hour + covered, age: time.Minute,
			admin: true, want: Success,
			change: func(_ *machine, _ *account.Account, r *Request) {
				r.Service, r.HoldsAdmins = "sudo", true
			}},
		{name: "covered, but never an administrator", lines: hour + covered,
			age: time.Minute, want: Unreachable,
			change: func(_ *machine, _ *account.Account, r *Request) {
				r.Service, r.HoldsAdmins = "sudo", true
			}},
		{name: "a session of a former administrator", lines: hour + covered, age: time.Minute,
			admin: true, demoted: true, want: Unreachable,
			change: func(_ *machine, _ *account.Account, r *Request) {
				r.Service, r.HoldsAdmins = "sudo", true
			}},
		{name: "current", lines: hour, age: time.Minute, want: Success},
		{name: "stale", lines: hour, age: 61 * time.Minute, want: Unreachable},
		{name: "from the future", lines: hour, age: -time.Hour, want: Unreachable},
		{name: "not configured", age: time.Second, want: Unreachable},
		{name: "of another object", lines: hour, age: time.Minute, want: Unreachable,
			change: func(_ *machine, a *account.Account, _ *Request) { a.ObjectID = stranger }},
		{name: "of another tenant", lines: hour, age: time.Minute, want: Unreachable,
			change: func(_ *machine, a *account.Account, _ *Request) { a.TenantID = stranger }},
		{name: "of another account", lines: hour, age: time.Minute, want: Unreachable,
			change: func(_ *machine, a *account.Account, _ *Request) { a.UID++ }},
		{name: "a host with the account's uid", lines: hour, age: time.Minute, want: Success,
			change: func(m *machine, _ *account.Account, r *Request) {
				r.KnownToHost, r.UID = true, m.firstID(user)
			}},
		{name: "a host with another uid", lines: hour, age: time.Minute, want: Denied,
			change: func(m *machine, _ *account.Account, r *Request) {
				r.KnownToHost, r.UID = true, m.firstID(user)+1
				r.StoreInode, r.StoreModified = m.store.Stamp()
			}},
		{name: "a service for administrators",
			lines: hour + "sign_in.admin_services = [\"cockpit\"]",
			age:   time.Minute, want: Unreachable,
			change: func(_ *machine, _ *account.Account, r *Request) { r.Service = "cockpit" }},
		{name: "a service for administrators, by one",
			lines: hour + "sign_in.admin_services = [\"cockpit\"]", age: time.Minute,
			admin: true, want: Unreachable,
			change: func(_ *machine, _ *account.Account, r *Request) { r.Service = "cockpit" }},
		{name: "the same service, covered",
			lines: hour + covered + "sign_in.admin_services = [\"cockpit\"]", age: time.Minute,
			admin: true, want: Success,
			change: func(_ *machine, _ *account.Account, r *Request) { r.Service = "cockpit" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, test.lines)
			granted, req := m.person(user, userOID), m.request(user)
			granted.Admin = test.admin && !test.demoted
			m.put(granted)
			m.entra.Fail(emulator.Fault{
				Endpoint: "checkaccess", Reset: test.status == 0, Status: test.status,
			})
			if test.change != nil {
				test.change(m, &granted, &req)
			}
			m.record(granted, time.Now().Add(-test.age), test.admin)
			got, conv := m.again(req)
			if test.want == Success {
				ended(t, got, conv, Success, "", `4 authorized reason="last-grant"`)
			} else {
				ended(t, got, conv, test.want, "Correlation ID", "")
			}
		})
	}
}

// The roles of one directory say nothing about the accounts of another, whatever Azure answers.
func TestAgainInAnotherTenant(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	m.edit(m.rules.TenantID, stranger)
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Denied, "of another directory", `other-tenant`)
	if got, _, _ := m.silent(m.request(user)); got == Success {
		t.Error("a window of another tenant is open")
	}
}

// The name service still answers for a stored account whose domain is no longer accepted. If the
// module stood aside, the account's key would be let in.
func TestDomainNoLongerAccepted(t *testing.T) {
	m := newMachine(t, "")
	a := m.person(user, userOID)
	m.put(a)
	text, err := os.ReadFile(m.config)
	if err != nil {
		t.Fatal(err)
	}
	m.write(m.config, strings.Replace(string(text), `"contoso.example"`, `"fabrikam.example"`, 1))
	req := m.request(user)
	req.KnownToHost, req.UID = true, a.UID
	got, conv := m.again(req)
	ended(t, got, conv, Denied, "no longer accepts", "name-not-accepted")
	got, conv = m.signIn(req, user)
	ended(t, got, conv, Denied, "no longer accepts", "name-not-accepted")

	req.UID++ // somebody else's account of that name: none of our business
	if got, conv := m.again(req); got != NotOurs || conv.told != nil {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
	req.UID, req.User = a.UID, "user@other.example"
	if got, conv := m.again(req); got != NotOurs || conv.told != nil {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
}
