// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// local sets the lines of /etc/passwd and /etc/group.
func (m *machine) local(passwd, group string) {
	m.signin.Etc = fstest.MapFS{"passwd": {Data: []byte(passwd)}, "group": {Data: []byte(group)}}
	m.store.Etc = m.signin.Etc
}

// An id or a name of a local user belongs to nobody else. This is checked before anybody opens a
// browser, and again under the lock.
func TestTakenLocally(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		stored        bool
		passwd, group string
		logged        string
	}{
		"a user's uid": {false, "joe:x:%d:100:::\n", "",
			`user@contoso.example: id %d is that of the local account joe"`},
		"a user's gid": {false, "joe:x:1:%d:::\n", "",
			`user@contoso.example: id %d is that of the group of the local account joe"`},
		"a group's": {false, "", "devs:x:%d:\n",
			`user@contoso.example: id %d is that of the local group devs"`},
		"an import's": {true, "joe:x:54321:100:::\n", "",
			`user@contoso.example: id 54321 is that of the local account joe"`},
	} {
		t.Run(what, func(t *testing.T) {
			m := newMachine(t, "")
			if c.stored {
				m.put(m.imported(user))
			} else {
				m.put()
			}
			id := fmt.Sprint(m.firstID(user))
			m.local(strings.ReplaceAll(c.passwd, "%d", id), strings.ReplaceAll(c.group, "%d", id))
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, Denied, "another account or group",
				strings.ReplaceAll(c.logged, "%d", id))
			told := strings.Join(conv.told, "")
			if m.requests("") != 0 || strings.Contains(told, "joe") ||
				strings.Contains(told, "devs") {
				t.Errorf("%d requests, told %q", m.requests(""), told)
			}
			if !c.stored {
				m.unknown(user)
			}
		})
	}
	t.Run("meanwhile", func(t *testing.T) {
		m := newMachine(t, "")
		got, conv := m.run(m.request(user), func(code string) error {
			m.signin.Etc.(fstest.MapFS)["group"] = &fstest.MapFile{
				Data: fmt.Appendf(nil, "devs:x:%d:\n", m.firstID(user)),
			}
			return m.entra.SignIn(code, user)
		})
		ended(t, got, conv, Denied, "another account or group", "is that of the local group devs")
		m.unknown(user)
	})
}

// An account that has signed in before stays the same, whatever local users were added since.
func TestTakenLocallySince(t *testing.T) {
	m := newMachine(t, "")
	a := m.person(user, userOID)
	m.put(a)
	m.local(fmt.Sprintf("joe:x:%d:100:::\n", a.UID), "")
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Success, "", "signed-in")
}

// A range that begins at the id of somebody would make them an administrator. No command applies
// such a range, and sign-ins go on as before.
func TestRangeThatBeginsAtSomebody(t *testing.T) {
	m := newMachine(t, "")
	boss := m.imported(admin)
	boss.UID = 154321
	m.put(boss)
	old := m.rules
	m.reconfigure("accounts.id_range = [154320, 264320]")
	if m.rules.Low != 154320 {
		t.Fatal(m.rules)
	}
	for range 2 {
		got, conv := m.signIn(m.request(user), user)
		ended(t, got, conv, Success, "",
			`problem="accounts.id_range: ids 154320 to 154335 are groups (154321 is aad_admins), and 154321 is that of account admin@contoso.example" fix="begin the range at another number, such as 154322, and run: aadctl config apply"`)
	}
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Success, "", "rules-not-applied")
	m.rules = old
	if a := m.stored(user); a.UID != m.firstID(user) {
		t.Errorf("stored %+v", a)
	}
	s, err := m.store.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.Rules().Equal(old) {
		t.Errorf("the store goes by %+v", s.Rules())
	}
	got, conv = m.signIn(m.request(admin), admin)
	ended(t, got, conv, Success, "", "signed-in")
}

// If a store already has such a range, only that account is refused.
func TestAccountAmongTheGroups(t *testing.T) {
	m := newMachine(t, "")
	a := m.imported(admin)
	a.TenantID, a.ObjectID, a.UID = m.rules.TenantID, adminOID, m.rules.Low+20
	m.put(a)
	data, err := os.ReadFile(m.store.Path())
	if err != nil {
		t.Fatal(err)
	}
	// An earlier version applied such a range.
	low := binary.LittleEndian.AppendUint32(nil, m.rules.Low)
	other := binary.LittleEndian.AppendUint32(nil, m.rules.Low+19)
	m.write(m.store.Path(), string(bytes.ReplaceAll(data, low, other)))
	m.reconfigure(fmt.Sprintf("accounts.id_range = [%d, %d]", m.rules.Low+19, m.rules.High))
	for _, phase := range []func(Request) (Verdict, *said){
		m.again, func(r Request) (Verdict, *said) { return m.signIn(r, admin) },
	} {
		got, conv := phase(m.request(admin))
		ended(t, got, conv, Denied, "the id of this account is that of a group here",
			fmt.Sprintf(`fix="begin the range at another number, such as %d, and run: aadctl config apply"`, a.UID+1))
	}
	if m.requests("") != 0 {
		t.Error("asked somebody")
	}
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Success, "", "rules-not-applied")
	m.reconfigure(fmt.Sprintf("accounts.id_range = [%d, %d]", a.UID+1, m.rules.High))
	got, conv = m.signIn(m.request(admin), admin)
	ended(t, got, conv, Success, "", "signed-in")
}

// The owner of a home could make its user run any program.
func TestHomeOfAnother(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		owner func(m *machine) int
		want  Verdict
	}{
		"somebody's":  {func(*machine) int { return 1002 }, Denied},
		"root's":      {func(*machine) int { return 0 }, Success},
		"the account": {func(m *machine) int { return int(m.firstID(user)) }, Success},
	} {
		t.Run(what, func(t *testing.T) {
			m := newMachine(t, "")
			m.reconfigure(fmt.Sprintf("accounts.home = %q", m.dir+"/home/%l"))
			m.put()
			m.local("zed:x:1002:1002::/home/zed:/bin/sh\n", "")
			home := filepath.Join(m.dir, "home", "user")
			if err := os.MkdirAll(home, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(home, c.owner(m), 0); err != nil {
				t.Fatal(err)
			}
			got, conv := m.signIn(m.request(user), user)
			if c.want == Success {
				ended(t, got, conv, Success, "", "signed-in")
				return
			}
			ended(t, got, conv, Denied,
				"the home directory of this account belongs to somebody else here",
				fmt.Sprintf(`problem="user@contoso.example: home %s belongs to zed (uid 1002)" fix="if its files are this person's: chown -hR %d:`, home, m.firstID(user)))
			if m.requests("") != 0 || strings.Contains(strings.Join(conv.told, ""), "zed") {
				t.Errorf("%d requests, told %q", m.requests(""), conv.told)
			}
			m.unknown(user)
			// The record was stored before homes were checked. The account stays.
			a := m.person(user, userOID)
			a.Home = home
			m.put(a)
			got, conv = m.signIn(m.request(user), user)
			ended(t, got, conv, Success, "", "signed-in")
		})
	}
	t.Run("meanwhile", func(t *testing.T) {
		m := newMachine(t, "")
		m.reconfigure(fmt.Sprintf("accounts.home = %q", m.dir+"/%l"))
		got, conv := m.run(m.request(user), func(code string) error {
			err := os.Mkdir(filepath.Join(m.dir, "user"), 0o700)
			return errors.Join(err, os.Chown(filepath.Join(m.dir, "user"), 1002, 0),
				m.entra.SignIn(code, user))
		})
		ended(t, got, conv, Denied,
			"the home directory of this account belongs to somebody else here", "home-of-another")
		m.unknown(user)
	})
}

// A user who may write in one of our directories could exchange its content: the tenant, the store,
// or the keys that vouch for tokens.
func TestDirectoriesOfOthers(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.person(user, userOID))
	for _, dir := range []string{
		filepath.Dir(m.config), m.store.Dir, m.signin.CacheDir, m.signin.RuntimeDir,
	} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range []struct {
			mode  os.FileMode
			owner int
			says  string
		}{
			{0o777, 0, "can be written by others than root (mode 0777); run: chmod go-w "},
			{0o755, 1002,
				"belongs to uid 1002, who could exchange what is in it; run: chown root: "},
		} {
			err := errors.Join(os.Chmod(dir, wrong.mode), os.Chown(dir, wrong.owner, 0))
			if err != nil {
				t.Fatal(err)
			}
			for _, phase := range []func(Request) (Verdict, *said){
				m.again, func(r Request) (Verdict, *said) { return m.signIn(r, user) },
			} {
				got, conv := phase(m.request(user))
				ended(t, got, conv, Misconfigured, "not configured correctly",
					`configuration-error" account="user@contoso.example"`)
				logged := strings.Join(conv.logged, "")
				if !strings.Contains(logged, `error="`+dir+": "+wrong.says+dir+`"`) {
					t.Errorf("logged %q", logged)
				}
			}
		}
		if err := errors.Join(os.Chmod(dir, 0o700), os.Chown(dir, 0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if m.requests("") != 0 {
		t.Error("asked somebody")
	}
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Success, "", "signed-in")
}
