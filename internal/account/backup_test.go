// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// There is one backup a day, of the store before that day's first change, and ten at most. A clock
// that is set back neither stops backups nor pushes them all out at once.
func TestBackups(t *testing.T) {
	s := newStore(t)
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return at }
	n := 0
	change := func() []byte {
		before, _ := os.ReadFile(s.path(storeFile))
		n++
		bind(t, s, testRules(), fmt.Sprintf("u%d@contoso.com", n))
		return before
	}
	backups := func() (names []string) {
		all, err := s.Backups()
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range all {
			names = append(names, filepath.Base(path))
		}
		return names
	}
	if change(); len(backups()) != 0 {
		t.Errorf("nothing was there, and is kept: %v", backups())
	}
	first := change()
	at = at.Add(backupEvery - time.Second)
	change()
	if want := []string{"accounts.cdb.20261101T120000Z"}; !slices.Equal(backups(), want) {
		t.Fatalf("%v, want %v", backups(), want)
	}
	kept, err := os.ReadFile(filepath.Join(s.path(backupsDir), backups()[0]))
	if kept[markAt]--; err != nil || !bytes.Equal(kept, first) {
		t.Errorf("the backup is not the store before the change, %v", err)
	}
	for range 12 {
		at = at.Add(backupEvery)
		change()
	}
	if all := backups(); len(all) != keptBackups ||
		all[0] != "accounts.cdb.20261105T115959Z" || all[9] != "accounts.cdb.20261114T115959Z" {
		t.Errorf("%v", all)
	}
	at = at.AddDate(-1, 0, 0)
	change()
	if all := backups(); len(all) != keptBackups+1 || all[0] != "accounts.cdb.20251114T115959Z" {
		t.Errorf("with the clock set back: %v", all)
	}
	if err := open(t, s).Check(); err != nil {
		t.Error(err)
	}
}

func TestRestore(t *testing.T) {
	s := newStore(t)
	alice := bind(t, s, testRules(), "alice@contoso.com")
	backup := filepath.Join(t.TempDir(), "backup")
	whole, err := os.ReadFile(s.path(storeFile))
	if err := errors.Join(err, os.WriteFile(backup, whole, 0o644)); err != nil {
		t.Fatal(err)
	}
	never := func(undone []Account) error { return fmt.Errorf("undoes %v", undone) }
	// A change that the copy does not know is undone only on request.
	for what, change := range map[string]func(*Edit) error{
		"a new account": func(e *Edit) error {
			return e.Put(Account{
				Name: "bob@contoso.com", UID: 5001, Home: "/home/b", Shell: "/bin/sh",
			})
		},
		"a lock":      func(e *Edit) error { a := alice; a.Locked = s.Now(); return e.Put(a) },
		"a removal":   func(e *Edit) error { a := alice; a.Removed = s.Now(); return e.Put(a) },
		"another uid": func(e *Edit) error { _, err := e.Move(alice, 5000); return err },
	} {
		update(t, s, change)
		before, _ := os.ReadFile(s.path(storeFile))
		if err := s.Restore(backup, never); err == nil {
			t.Errorf("%s: undone", what)
		}
		if after, _ := os.ReadFile(s.path(storeFile)); !bytes.Equal(before, after) {
			t.Errorf("%s: changed", what)
		}
		if err := s.Restore(backup, func([]Account) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if after, _ := os.ReadFile(s.path(storeFile)); !bytes.Equal(whole, after) {
			t.Errorf("%s: not restored", what)
		}
	}
	// A damaged store is kept and does not hinder the restoration. A damaged copy is refused.
	if err := os.WriteFile(s.path(storeFile), whole[:len(whole)-7], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(backup, never); err != nil {
		t.Error(err)
	}
	damaged := 0
	all, _ := s.Backups()
	for _, path := range all {
		if snapshot, err := s.OpenCopy(path); err != nil || snapshot.Check() != nil {
			damaged++
		}
	}
	if damaged != 1 {
		t.Errorf("%d of %d backups are damaged", damaged, len(all))
	}
	for i := 0; i < len(whole); i += 11 {
		for _, bad := range [][]byte{whole[:i], flipped(whole, i)} {
			if err := os.WriteFile(backup, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			// A flip may hit a text, such as a date. Only a sound store is put in place.
			err := s.Restore(backup, never)
			if err == nil && (len(bad) < len(whole) || open(t, s).Check() != nil) {
				t.Fatalf("byte %d: restored", i)
			}
		}
	}
}

// A copy holds the authorizations of its time. After it is restored, everybody is asked about
// again: neither the groups in it nor grants and windows count.
func TestRestoreGivesNobodyARight(t *testing.T) {
	s := newStore(t)
	s.RuntimeDir = t.TempDir()
	for _, name := range []string{"alice@contoso.com", "bob@contoso.com", "carol@contoso.com"} {
		bind(t, s, testRules(), name)
	}
	set := func(name string, admin bool, groups ...uint32) {
		update(t, s, func(e *Edit) error {
			a, err := e.ByName(name)
			a.Admin, a.Groups = admin, groups
			return errors.Join(err, e.Put(a))
		})
	}
	set("alice@contoso.com", true, 44)
	set("bob@contoso.com", false, 44, 45)
	copies := t.TempDir()
	keep := func(name string) string {
		whole, err := os.ReadFile(s.Path())
		path := filepath.Join(copies, name)
		if err := errors.Join(err, os.WriteFile(path, whole, 0o644)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	backup := keep("backup")
	set("alice@contoso.com", false)
	set("bob@contoso.com", false)
	if err := s.RecordGrant(4711, Grant{Denied: "no-role"}); err != nil {
		t.Fatal(err)
	}
	uid := open(t, s).rights(t, "alice@contoso.com", false)
	for what, path := range map[string]string{
		"a copy":              backup,
		"the previous":        s.path(previousFile),
		"a backup of the day": "",
	} {
		if path == "" {
			all, err := s.Backups()
			if err != nil || len(all) == 0 {
				t.Fatalf("%q, %v", all, err)
			}
			path = all[len(all)-1]
		}
		err := errors.Join(
			s.RecordGrant(uid, Grant{TenantID: tenant, ObjectID: "oid", Admin: true}),
			os.MkdirAll(filepath.Dir(s.WindowsPath(uid)), 0o700),
			os.WriteFile(s.WindowsPath(uid), nil, 0o600),
		)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Restore(path, func([]Account) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if err := open(t, s).Check(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if last, err := s.LastDecision(4711); err != nil || last.Denied == "" {
			t.Errorf("%s: a refusal was forgotten: %+v, %v", what, last, err)
		}
		for a := range open(t, s).All() {
			if a.Admin || len(a.Groups) > 0 {
				t.Errorf("%s: %s is administrator %v, in %v", what, a.Name, a.Admin, a.Groups)
			}
		}
		for _, left := range []string{s.grantPath(uid), s.WindowsPath(uid)} {
			if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %s is still there: %v", what, left, err)
			}
		}
	}
}

func (s *Snapshot) rights(t *testing.T, name string, admin bool) uint32 {
	t.Helper()
	a, err := s.ByName(name)
	if err != nil || a.Admin != admin {
		t.Fatalf("%+v, %v", a, err)
	}
	return a.UID
}
