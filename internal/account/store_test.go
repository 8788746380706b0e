// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"

func testRules() Rules {
	return Rules{
		TenantID: tenant, Domains: []string{"contoso.com", "fabrikam.com"},
		Low: 1879048192, High: 2147483646,
		Home: "/home/%u", Shell: "/bin/bash", PreAuthServices: []string{"sshd", "login"},
	}
}

// crowded leaves room for eight accounts, so that ids collide.
func crowded() Rules {
	r := testRules()
	r.Low, r.High = 70000, 70000+reserved+7
	return r
}

func newStore(t testing.TB) Store {
	t.Helper()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	return Store{
		Dir: filepath.Join(t.TempDir(), "store"), Now: func() time.Time { return at },
		Etc: etc("", ""),
	}
}

func update(t testing.TB, s Store, change func(*Edit) error) {
	t.Helper()
	if err := s.Update(change); err != nil {
		t.Fatal(err)
	}
}

func person(name string) Identity {
	return Identity{
		TenantID: tenant, ObjectID: "oid-of-" + strings.ReplaceAll(name, "@", "-"), Name: name,
		UPN: name,
	}
}

// bind signs name in for the first time.
func bind(t testing.TB, s Store, rules Rules, name string) (a Account) {
	t.Helper()
	update(t, s, func(e *Edit) (err error) {
		if err = e.SetRules(rules); err != nil {
			return err
		}
		first, err := e.NewAccount(Name{name, name})
		if err != nil {
			return err
		}
		a, err = e.Bind(person(name), first.UID)
		return err
	})
	return a
}

func open(t testing.TB, s Store) *Snapshot {
	t.Helper()
	snapshot, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snapshot.Close() })
	return snapshot
}

func TestUpdateWritesOnlyChanges(t *testing.T) {
	s := newStore(t)
	a := bind(t, s, testRules(), "alice@contoso.com")
	before, _ := os.Stat(s.path(storeFile))
	update(t, s, func(e *Edit) error {
		if err := e.SetRules(testRules()); err != nil {
			return err
		}
		return e.Put(a)
	})
	if after, _ := os.Stat(s.path(storeFile)); !os.SameFile(before, after) {
		t.Error("nothing changed and the store was replaced")
	}
}

func TestAdminsAndGroups(t *testing.T) {
	s := newStore(t)
	for _, name := range []string{"a@contoso.com", "b@contoso.com", "c@contoso.com"} {
		bind(t, s, testRules(), name)
	}
	set := func(name string, admin bool, groups ...uint32) {
		update(t, s, func(e *Edit) error {
			a, err := e.ByName(name)
			if err != nil {
				return err
			}
			a.Admin, a.Groups = admin, groups
			return e.Put(a)
		})
	}
	set("c@contoso.com", true)
	set("a@contoso.com", true, 100, 27, 100)
	set("b@contoso.com", true)
	set("b@contoso.com", false)
	snapshot := open(t, s)
	got, err := snapshot.get([]byte("gaad_admins"))
	want := members([]string{"a@contoso.com", "c@contoso.com"})
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("members %q, %v", got, err)
	}
	a, err := snapshot.ByName("a@contoso.com")
	if err != nil || !a.Admin || !slices.Equal(a.Groups, []uint32{27, 100}) {
		t.Errorf("a = %+v, %v", a, err)
	}
	// After the range has moved, every entry has the new groups.
	moved := testRules()
	moved.Low += 1000
	update(t, s, func(e *Edit) error { return e.SetRules(moved) })
	snapshot = open(t, s)
	if err := snapshot.Check(); err != nil {
		t.Error(err)
	}
	a, err = snapshot.ByName("a@contoso.com")
	if err != nil || !a.Admin || !slices.Equal(a.Groups, []uint32{27, 100}) {
		t.Errorf("a = %+v, %v", a, err)
	}
	raw, _ := snapshot.get([]byte("na@contoso.com"))
	if low := little.Uint32(raw[entryHead:]); low != moved.Low {
		t.Errorf("the entry says aad_users is %d", low)
	}
}

func TestModesWhateverTheUmask(t *testing.T) {
	old := syscall.Umask(0o777)
	defer syscall.Umask(old)
	s := newStore(t)
	if os.Geteuid() != 0 {
		t.Skip("a directory made with umask 0777 is of use to root only")
	}
	a := bind(t, s, testRules(), "alice@contoso.com")
	if err := s.RecordGrant(a.UID, Grant{ObjectID: a.ObjectID}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{
		s.path("."):        fs.ModeDir | 0o755,
		s.path(grantsDir):  fs.ModeDir | 0o700,
		s.path(storeFile):  0o644,
		s.grantPath(a.UID): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

// Many writers at once lose no change, and readers see only complete stores.
func TestWritersAndReaders(t *testing.T) {
	s := newStore(t)
	update(t, s, func(e *Edit) error { return e.SetRules(testRules()) })
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			snapshot, err := s.Open()
			if err == nil {
				err = snapshot.Check()
				snapshot.Close()
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for w := range 4 {
		writers.Go(func() {
			for i := range 10 {
				bind(t, s, testRules(), fmt.Sprintf("u%d.%d@contoso.com", w, i))
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if n := len(slices.Collect(open(t, s).All())); n != 40 {
		t.Errorf("%d of 40 accounts", n)
	}
}

// The mark of a replaced store differs from its mark while it was the store.
func TestReplacedStoreIsMarked(t *testing.T) {
	s := newStore(t)
	bind(t, s, testRules(), "alice@contoso.com")
	before, err := os.ReadFile(s.path(storeFile))
	if err != nil {
		t.Fatal(err)
	}
	bind(t, s, testRules(), "bob@contoso.com")
	after, err := os.ReadFile(s.path(previousFile))
	if err != nil {
		t.Fatal(err)
	}
	if before[markAt] == after[markAt] {
		t.Errorf("mark %d, and %d after the change", before[markAt], after[markAt])
	}
	if after[markAt] = before[markAt]; !bytes.Equal(before, after) {
		t.Error("more than the mark has changed")
	}
}

// Without its seal, the file can be changed like any other.
func TestUnseal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := unseal(path); err != nil {
		t.Errorf("no file: %v", err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := setImmutable(f, true); err != nil {
		t.Skipf("no immutable files here: %v", err)
	}
	if err := os.Remove(path); err == nil || !immutable(f) {
		t.Fatal("an immutable file is removed")
	}
	if err := unseal(path); err != nil || immutable(f) {
		t.Errorf("unseal: %v", err)
	}
	if info, err := f.Stat(); err != nil || info.Mode() != unsealedMode {
		t.Errorf("unsealed: %v, %v", info.Mode(), err)
	}
}
