// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/token"
)

// Azure's answers about one account arrive in another order than the questions: while the first
// answer is on its way, the role changes, and a second attempt asks and is answered.
func TestLateAnswers(t *testing.T) {
	const loginRole, adminRole = "Virtual Machine User Login", "Virtual Machine Administrator Login"
	for name, test := range map[string]struct {
		before, after string // roles
		browser       bool   // the first attempt comes with one
		service       string // of the first attempt
		want          Verdict
		admin, grant  bool
	}{
		"administrator, then nobody": {before: adminRole, after: "", want: Denied},
		"administrator, then nobody, by browser": {before: adminRole, after: "",
			browser: true, want: Denied},
		"user, then nobody": {before: loginRole, after: "", want: Denied},
		"administrator, then user": {before: adminRole, after: loginRole,
			want: Success, grant: true},
		"administrator, then user, by browser": {before: adminRole, after: loginRole,
			browser: true, want: Success, grant: true},
		"administrator, then user, who needs more": {before: adminRole, after: loginRole,
			service: "cockpit", want: Denied, grant: true},
		"nobody, then administrator": {before: "", after: adminRole, want: Denied,
			admin: true, grant: true},
		"user, then administrator": {before: loginRole, after: adminRole,
			want: Success, admin: true, grant: true},
		"user who needs more, then administrator": {before: loginRole, after: adminRole,
			service: "cockpit", want: Denied, admin: true, grant: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "sign_in.admin_services = [\"cockpit\"]\n"+tenMinutes)
			m.put(m.person(user, userOID))
			m.assign(user, test.before)
			var second Verdict
			m.once("checkaccess", func() {
				m.assign(user, test.after)
				second, _ = m.again(m.request(user))
			})
			req := m.request(user)
			if test.service != "" {
				req.Service = test.service
			}
			var got Verdict
			var conv *said
			if test.browser {
				got, conv = m.signIn(req, user)
			} else {
				got, conv = m.again(req)
			}
			if (second == Success) != (test.after != "") {
				t.Fatalf("the second attempt ended with %d", second)
			}
			if got != test.want {
				t.Errorf("verdict %d, want %d; logged %q", got, test.want, conv.logged)
			}
			acct := m.stored(user)
			if acct.Admin != test.admin {
				t.Errorf("administrator: %v", acct.Admin)
			}
			grant, err := m.grant(acct.UID)
			if (err == nil) != test.grant || grant.Admin != test.admin {
				t.Errorf("grant %+v, %v", grant, err)
			}
			_, err = os.Stat(m.windows(user))
			if test.after == "" && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("windows of who was denied: %v", err)
			}
		})
	}
}

// The groups of the later browser sign-in stay, in whichever order the two are stored.
func TestLateGroups(t *testing.T) {
	a, _ := groupsAttempt("web", "nobody")
	a.Uptime, a.claims = uptime, &token.Claims{}
	a.browser = a.moment()
	stored := account.Account{Groups: []uint32{2000}}
	for later, want := range map[time.Duration]int{-time.Nanosecond: 0, time.Nanosecond: 1} {
		last := account.Grant{Browser: account.Moment{
			Time: a.browser.Time.Add(-time.Hour), Boot: a.browser.Boot, Up: a.browser.Up + later,
		}}
		if got := a.groups(stored, last); len(got) != want {
			t.Errorf("%v: %v", later, got)
		}
	}
}

// A window is kept after a denial has looked for windows. It opens nothing.
func TestLateWindow(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	req := m.request(user)
	a := m.signin.attempt(req, new(said))
	if err := errors.Join(a.configure(), a.checkName()); err != nil {
		t.Fatal(err)
	}
	a.browser, a.asked = a.moment(), a.moment()
	m.assign(user, "")
	if got, _ := m.again(req); got != Denied {
		t.Fatal(got)
	}
	a.remember()
	if _, err := os.Stat(m.windows(user)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("windows: %v", err)
	}
}

func TestMomentAfter(t *testing.T) {
	early, late := time.Unix(1_800_000_000, 0), time.Unix(1_800_000_001, 0)
	for _, test := range []struct {
		m, n account.Moment
		want bool
	}{
		// The wall clock was stepped.
		{account.Moment{Time: early, Boot: "a", Up: 2},
			account.Moment{Time: late, Boot: "a", Up: 1}, true},
		{account.Moment{Time: late, Boot: "a", Up: 1},
			account.Moment{Time: early, Boot: "a", Up: 1}, false},
		{account.Moment{Time: late, Boot: "b", Up: 2},
			account.Moment{Time: early, Boot: "a", Up: 1}, false},
		{account.Moment{Time: late}, account.Moment{Time: early, Boot: "a"}, true},
		{account.Moment{Time: early}, account.Moment{Time: late}, false},
		{account.Moment{}, account.Moment{}, false},
	} {
		if got := test.m.After(test.n); got != test.want {
			t.Errorf("%+v after %+v: %v", test.m, test.n, got)
		}
	}
}
