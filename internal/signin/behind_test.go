// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"testing"
	"time"

	"aadlogin/internal/account"
)

// A host whose name service is behind knows an account as it was before a change. Neither phase
// lets anybody in, and Azure is not asked.
func TestHostsThatAreBehind(t *testing.T) {
	t.Parallel()
	const former = "former@contoso.example"
	removed := func(a account.Account) account.Account { a.Removed = time.Now(); return a }
	for _, test := range []struct {
		name         string
		user         string
		prepare      func(*testing.T, *machine)
		told, logged string
	}{
		{name: "removed", user: user,
			prepare: func(_ *testing.T, m *machine) { m.put(removed(m.person(user, userOID))) },
			told:    "has been removed", logged: "removed-account"},
		{name: "a former name", user: former, prepare: func(_ *testing.T, m *machine) {
			a := m.person(former, userOID)
			m.put(a)
			a.Name, a.UPN = user, user
			m.put(a)
		}, told: "no longer in use", logged: "former-name"},
		{name: "a former uid", user: user, prepare: func(t *testing.T, m *machine) {
			a := m.person(user, userOID)
			m.put(a)
			err := m.store.Update(func(e *account.Edit) error {
				_, err := e.Move(a, 54322)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}, told: "changed while you were connecting", logged: "stale-lookup"},
		{name: "an id that another has got", user: user, prepare: func(_ *testing.T, m *machine) {
			a := m.person(admin, stranger)
			a.UID = m.firstID(user)
			m.put(a)
		}, told: "changed while you were connecting", logged: "stale-lookup"},
		{name: "a name that is exchanged", user: user, prepare: func(t *testing.T, m *machine) {
			a, b := m.person(user, userOID), m.person(admin, stranger)
			m.put(a, b)
			err := m.store.Update(func(e *account.Edit) error {
				return e.Swap(a, b)
			})
			if err != nil {
				t.Fatal(err)
			}
		}, told: "changed while you were connecting", logged: "stale-lookup"},
		{name: "removed, and its domain is none any more", user: "gone@fabrikam.example",
			prepare: func(_ *testing.T, m *machine) {
				m.rules.Domains = []string{"contoso.example", "fabrikam.example"}
				m.put(removed(m.person("gone@fabrikam.example", userOID)))
			}, told: "no longer accepts", logged: "name-not-accepted"},
		{name: "a short name of before", user: "shorty", prepare: func(_ *testing.T, m *machine) {
			m.rules.ShortNames = true
			a := m.person("shorty", userOID)
			a.UPN = "shorty@contoso.example"
			m.put(removed(a))
			m.rules.ShortNames = false
			m.put()
		}, told: "no longer accepts", logged: "name-not-accepted"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, "")
			test.prepare(t, m)
			req := m.request(test.user)
			req.KnownToHost, req.UID = true, m.firstID(test.user)
			got, conv := m.again(req)
			ended(t, got, conv, Denied, test.told, test.logged)
			got, conv = m.signIn(req, user)
			ended(t, got, conv, Denied, test.told, test.logged)
			if n := m.requests(""); n != 0 || conv.prompts != nil {
				t.Errorf("%d requests, prompts %q", n, conv.prompts)
			}
		})
	}
}

// A user of another name service, whose id is not ours, passes. This holds even if the door had to
// ask because the store is damaged.
func TestHostsOfOthers(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.person(user, userOID))
	for _, spoil := range []func(){func() {}, func() { m.write(m.store.Path(), "no store") }} {
		spoil()
		req := m.request("joe")
		req.KnownToHost, req.UID = true, 1234
		if got, conv := m.again(req); got != NotOurs || conv.told != nil {
			t.Errorf("account phase: %d, told %q", got, conv.told)
		}
		if got, conv := m.signIn(req, user); got != NotOurs || conv.told != nil {
			t.Errorf("authentication: %d, told %q", got, conv.told)
		}
	}
}
