// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"slices"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/emulator"
)

// A person who was renamed in the directory types the old name first. The account and the object
// are theirs. The account is renamed after Azure has said yes, and only to a name that it may have.
func TestOldNameTyped(t *testing.T) {
	t.Parallel()
	const now = "renamed@contoso.example"
	for what, c := range map[string]struct {
		to      string
		prepare func(m *machine)
		renamed bool
		told    string
		logged  string
	}{
		"free": {to: now, renamed: true, told: "Your account is now named " + now +
			". Connect again with that name.", logged: `renamed" account="user@contoso.example"`},
		"of another domain": {to: "user@fabrikam.example", logged: `not-renamed"`,
			told: "Your account is named user@fabrikam.example in Entra ID by now, but this " +
				"machine does not accept that name. Ask its administrator."},
		"another's": {to: now, prepare: func(m *machine) { m.put(m.imported(now)) },
			logged: `not-renamed"`,
			told: "named " + now +
				" in Entra ID by now, but that name is or was another account's on this machine. " +
				"Ask its administrator."},
		"once another's": {to: now, prepare: func(m *machine) {
			a := m.imported(now)
			m.put(a)
			a.Name, a.UPN = "other@contoso.example", "other@contoso.example"
			if err := m.store.Update(func(e *account.Edit) error { return e.Put(a) }); err != nil {
				m.t.Fatal(err)
			}
		}, logged: `not-renamed"`, told: "that name is or was another account's"},
		"a local group's": {to: now, prepare: func(m *machine) {
			m.local("", now+":x:4243:\n")
		}, logged: `problem="` + now + `: a local group has this name"`,
			told: "named " + now +
				" in Entra ID by now, but a local account or group of this machine has that " +
				"name. Ask its administrator."},
		"a local user's": {to: now, prepare: func(m *machine) {
			m.local(now+":x:4243:100:::\n", "")
		}, logged: "a local account of this name has id 4243",
			told: "but a local account or group of this machine has that name"},
		"without a role": {to: now, prepare: func(m *machine) {
			m.assign(now, "")
		}, logged: "no-role", told: "Access denied:"},
		"not readable": {to: "-rf@contoso.example", logged: `not-renamed"`,
			told: "but this machine does not accept that name"},
	} {
		t.Run(what, func(t *testing.T) {
			m := newMachine(t, "")
			before := m.person(user, userOID)
			m.put(before)
			m.rename(c.to)
			if c.prepare != nil {
				c.prepare(m)
			}
			got, conv := m.signIn(m.request(user), c.to)
			ended(t, got, conv, Denied, c.told, c.logged)
			if !c.renamed {
				a := m.stored(user)
				if a.UID != before.UID || a.Name != user || a.UPN != user || len(a.Former) > 0 {
					t.Errorf("stored %+v", a)
				}
				return
			}
			a := m.stored(now)
			if a.UID != before.UID || a.Home != before.Home || a.ObjectID != userOID {
				t.Errorf("stored %+v", a)
			}
			m.unknown(user)
			got, conv = m.signIn(m.request(now), now)
			ended(t, got, conv, Success, "", "signed-in")
			got, conv = m.signIn(m.request(user), now)
			ended(t, got, conv, Denied, "no longer in use", "former-name")
		})
	}
}

// Anybody else in the browser is somebody else, whatever name is typed, because the object decides.
func TestOldNameOfAnother(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.person(user, userOID), m.person(admin, adminOID))
	got, conv := m.signIn(m.request(user), admin)
	ended(t, got, conv, Refused, "but admin@contoso.example signed in with the browser",
		"other-account")
	m.rename("renamed@contoso.example")
	got, conv = m.signIn(m.request(admin), "renamed@contoso.example")
	ended(t, got, conv, Refused, "but renamed@contoso.example signed in with the browser",
		"other-account")
	if a := m.stored(user); a.Name != user {
		t.Errorf("stored %+v", a)
	}
}

// A person who was deleted and created again is another object with the same name, until an
// administrator says that it is the same person.
func TestCreatedAgain(t *testing.T) {
	m := newMachine(t, "")
	before := m.person(user, stranger)
	before.Admin, before.Groups = true, []uint32{2000}
	m.put(before)
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Denied, "belongs to somebody else", `oid="`+userOID+`"`)
	err := m.store.Update(func(e *account.Edit) error {
		return e.Rebind(before, m.rules.TenantID, userOID)
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := m.stored(user); a.Admin || len(a.Groups) > 0 || a.UID != before.UID {
		t.Errorf("stored %+v", a)
	}
	got, conv = m.signIn(m.request(user), user)
	ended(t, got, conv, Success, "", "signed-in")
	a := m.stored(user)
	if a.UID != before.UID || a.Home != before.Home || a.ObjectID != userOID || a.Admin {
		t.Errorf("stored %+v", a)
	}
}

// The same object under a new name is renamed in place. It keeps uid and home, and is asked to
// connect again.
func TestRenamed(t *testing.T) {
	const renamed = "renamed@contoso.example"
	m := newMachine(t, "")
	before := m.person(user, userOID)
	m.put(before)
	m.rename(renamed)
	got, conv := m.signIn(m.request(renamed), renamed)
	ended(t, got, conv, Denied, "renamed to "+renamed, "renamed")
	a := m.stored(renamed)
	if a.UID != before.UID || a.Home != before.Home || a.ObjectID != userOID {
		t.Errorf("stored %+v", a)
	}
	m.unknown(user)
	if _, err := m.grant(before.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
	got, conv = m.signIn(m.request(renamed), renamed)
	ended(t, got, conv, Success, "", "signed-in")
}

// A rename does not hide the result of the check.
func TestRenamedFormerAdministrator(t *testing.T) {
	const renamed = "renamed@contoso.example"
	m := newMachine(t, "")
	before := m.person(user, userOID)
	before.Admin, before.Groups = true, []uint32{2000}
	m.put(before)
	m.record(before, m.now(), true)
	m.rename(renamed)
	got, conv := m.signIn(m.request(renamed), renamed)
	ended(t, got, conv, Denied, "renamed to "+renamed, "renamed")
	if a := m.stored(renamed); a.Admin || a.Groups != nil {
		t.Errorf("stored %+v", a)
	}
	if _, err := m.grant(before.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
}

// rename gives the user another name in the directory.
func (m *machine) rename(to string) {
	m.t.Helper()
	m.change(func(d *emulator.Directory) {
		i := slices.IndexFunc(d.Users, func(u emulator.User) bool { return u.Name == user })
		d.Users[i].Name = to
		for i := range d.Assignments {
			if d.Assignments[i].Principal == user {
				d.Assignments[i].Principal = to
			}
		}
	})
}
