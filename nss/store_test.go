// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
	"unsafe"

	"aadlogin/internal/account"
)

const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"

// self is the name of /proc/self/exe in these tests.
func self(t testing.TB) string {
	t.Helper()
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(filepath.Base(exe), " (deleted)")
}

func testRules() account.Rules {
	return account.Rules{
		TenantID: tenant, Domains: []string{"contoso.com", "fabrikam.com"},
		Low: 1879048192, High: 2147483646,
		Home: "/home/%u", Shell: "/bin/bash", PreAuthServices: []string{"sshd", "login"},
	}
}

// build returns the bytes of a store, and the store as Go sees it.
func build(
	t testing.TB, rules account.Rules, fill func(*account.Edit) error,
) ([]byte, *account.Snapshot) {
	t.Helper()
	s := account.Store{Dir: t.TempDir(), Now: func() time.Time {
		return time.Unix(1795348800, 0)
	}, Etc: fstest.MapFS{}}
	err := s.Update(func(e *account.Edit) error {
		if err := e.SetRules(rules); err != nil {
			return err
		}
		return fill(e)
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(s.Dir, "accounts.cdb"))
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { snapshot.Close() })
	return data, snapshot
}

// add signs name in for the first time and changes the account.
func add(e *account.Edit, name string, change func(*account.Account)) error {
	n, err := e.Rules().Name(name)
	if err != nil {
		return err
	}
	first, err := e.NewAccount(n)
	if err != nil {
		return err
	}
	who := account.Identity{TenantID: tenant, ObjectID: "oid-" + name, Name: n.Account, UPN: n.UPN}
	a, err := e.Bind(who, first.UID)
	if err == nil && change != nil {
		change(&a)
		err = e.Put(a)
	}
	return err
}

// people fills a store with one of each kind.
func people(e *account.Edit) error {
	imported := account.Account{
		Name: "imported@contoso.com", UPN: "imported@contoso.com", UID: 3197663,
		Gecos: "Imported, Ltd", Home: "/home/imp", Shell: "/bin/zsh",
	}
	if err := e.Put(imported); err != nil {
		return err
	}
	for _, p := range []struct {
		name   string
		change func(*account.Account)
	}{
		{"alice@contoso.com", nil},
		{"admin@contoso.com", func(a *account.Account) {
			a.Admin, a.Groups = true, []uint32{27, 100}
		}},
		{"gone@contoso.com", func(a *account.Account) {
			a.Removed, a.Admin = time.Unix(1795348800, 0), true
		}},
		{"root2@fabrikam.com", func(a *account.Account) { a.Admin = true }},
		{"was@contoso.com", func(a *account.Account) { a.Name = "is@contoso.com" }},
	} {
		if err := add(e, p.name, p.change); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// guarded copies bytes to the end of memory: reading beyond the end is a crash, also without a
// sanitizer.
type guarded struct {
	area []byte
	max  int
}

func guard(t testing.TB, max int) *guarded {
	t.Helper()
	page := os.Getpagesize()
	room := (max + page - 1) / page * page
	area, err := syscall.Mmap(-1, 0, room+page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mprotect(area[room:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(area) })
	return &guarded{area, room}
}

func (g *guarded) put(data []byte) (unsafe.Pointer, int) {
	copy(g.area[g.max-len(data):], data)
	return unsafe.Add(unsafe.Pointer(&g.area[0]), g.max-len(data)), len(data)
}

// load opens a store for the C side.
func load(t testing.TB, data []byte) store {
	t.Helper()
	s, ok := openStore(guard(t, len(data)).put(data))
	if !ok {
		t.Fatal("C refuses a sound store")
	}
	t.Cleanup(s.Close)
	return s
}
