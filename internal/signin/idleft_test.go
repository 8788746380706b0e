// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aadlogin/internal/account"
)

// A store was lost. By its home, another account had the id that this account would get now.
func TestIDOfAnother(t *testing.T) {
	t.Parallel()
	for what, put := range map[string]bool{"the store is gone": false, "another was begun": true} {
		t.Run(what, func(t *testing.T) {
			m := newMachine(t, "")
			m.reconfigure(fmt.Sprintf("accounts.home = %q", m.dir+"/home/%u"))
			if put {
				m.put()
			}
			home := filepath.Join(m.dir, "home", admin)
			err := errors.Join(os.MkdirAll(home, 0o700), os.Chown(home, int(m.firstID(user)), 0))
			if err != nil {
				t.Fatal(err)
			}
			got, door := m.signIn(m.request(user), user)
			ended(t, got, door, Denied,
				"the id of this account is that of files which another account has left here",
				fmt.Sprintf(
					`problem="user@contoso.example: its id %d is that of home %s, so admin@contoso.example had it" fix="the store`, m.firstID(user), home))
			if m.requests("") != 0 || strings.Contains(strings.Join(door.told, ""), admin) {
				t.Errorf("%d requests, told %q", m.requests(""), door.told)
			}
			m.unknown(user)
			// The administrator says that the home is this person's. Then the other account is
			// refused, as with any home of another.
			if err := os.Chown(home, int(m.firstID(admin)), 0); err != nil {
				t.Fatal(err)
			}
			got, door = m.signIn(m.request(user), user)
			ended(t, got, door, Success, "", "signed-in")
		})
	}
}

// Another account's home appears after the first check: while the person is in the browser, or
// while the account is stored.
func TestIDOfAnotherMeanwhile(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"in the browser", "under the lock"} {
		t.Run(when, func(t *testing.T) {
			m := newMachine(t, "")
			m.reconfigure(fmt.Sprintf("accounts.home = %q", m.dir+"/home/%u"))
			home := filepath.Join(m.dir, "home", admin)
			put := func() error {
				return errors.Join(os.MkdirAll(home, 0o700),
					os.Chown(home, int(m.firstID(user)), 0))
			}
			var once sync.Once
			m.signin.Now = func() time.Time {
				if when == "under the lock" && m.isLocked() {
					once.Do(func() {
						if err := put(); err != nil {
							t.Error(err)
						}
					})
				}
				return m.now()
			}
			got, conv := m.run(m.request(user), func(code string) (err error) {
				if when == "in the browser" {
					err = put()
				}
				return errors.Join(err, m.entra.SignIn(code, user))
			})
			ended(t, got, conv, Denied,
				"the id of this account is that of files which another account has left here",
				fmt.Sprintf("its id %d is that of home %s", m.firstID(user), home))
			m.unknown(user)
		})
	}
}

// While a person with an account is in the browser, an older store without it is put back.
func TestIDOfAnotherInOlderStore(t *testing.T) {
	m := newMachine(t, "")
	m.reconfigure(fmt.Sprintf("accounts.home = %q", m.dir+"/home/%u"))
	m.put()
	text, err := os.ReadFile(m.store.Path())
	older := filepath.Join(t.TempDir(), "older.cdb")
	home := filepath.Join(m.dir, "home", admin)
	err = errors.Join(err, os.WriteFile(older, text, 0o600), os.MkdirAll(home, 0o700),
		os.Chown(home, int(m.firstID(user)), 0))
	if err != nil {
		t.Fatal(err)
	}
	m.put(m.person(user, userOID))
	got, conv := m.run(m.request(user), func(code string) error {
		return errors.Join(m.store.Restore(older, func([]account.Account) error { return nil }),
			m.entra.SignIn(code, user))
	})
	ended(t, got, conv, Denied,
		"the id of this account is that of files which another account has left here",
		fmt.Sprintf("its id %d is that of home %s", m.firstID(user), home))
	m.unknown(user)
}

// isLocked reports whether an attempt changes the store.
func (m *machine) isLocked() bool {
	lock, err := os.Open(filepath.Join(m.store.Dir, "accounts.lock"))
	if err != nil {
		return false
	}
	defer lock.Close()
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil
}
