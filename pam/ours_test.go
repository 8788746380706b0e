// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
)

// machine has a store and an /etc/passwd, and a host whose name service answers anything.
type machine struct {
	t       *testing.T
	program string
	store   account.Store
	passwd  string
}

const oursTenant = "11111111-2222-3333-4444-555555555555"

func oursRules() account.Rules {
	return account.Rules{
		TenantID: oursTenant, Domains: []string{"contoso.com"}, ShortNames: true, Low: 300000,
		High: 400000, Home: "/home/%u", Shell: "/bin/sh",
	}
}

func newMachine(t *testing.T) machine {
	t.Helper()
	asRoot(t)                                  // the name service reads only a store of root's
	dir := filepath.Join(builtHere, "machine") // the same for each test, since it is compiled in
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m := machine{t: t, store: account.Store{Dir: dir}, passwd: filepath.Join(dir, "passwd")}
	sources, err := filepath.Glob("../nss/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%q, %v", sources, err)
	}
	m.program = harness(t, "ours", append(sources,
		fmt.Sprintf("-DAAD_STORE=%q", m.store.Path()), fmt.Sprintf("-DAAD_PASSWD=%q", m.passwd))...)
	m.write("root:x:0:0::/root:/bin/sh\nlocal:x:1001:1001::/:/bin/sh\n")
	return m
}

func (m machine) write(passwd string) {
	m.t.Helper()
	if err := os.WriteFile(m.passwd, []byte(passwd), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m machine) update(change func(*account.Edit) error) {
	m.t.Helper()
	if err := m.store.Update(change); err != nil {
		m.t.Fatal(err)
	}
}

// expect asks about pairs "NAME UID".
func (m machine) expect(want string, pairs ...string) {
	m.t.Helper()
	got := play(m.t, m.program, strings.Fields(strings.Join(pairs, " "))...)
	if len(got) != len(pairs) {
		m.t.Fatalf("%d answers, %d questions", len(got), len(pairs))
	}
	for i, line := range got {
		if line != want {
			m.t.Errorf("%s: %s, want %s", pairs[i], line, want)
		}
	}
}

func person(name string, uid uint32) account.Account {
	return account.Account{
		Name: name, UPN: strings.TrimSuffix(name, "@contoso.com") + "@contoso.com", UID: uid,
		Home: "/home/x", Shell: "/bin/sh",
	}
}

// grown fills the store with accounts to which everything has happened.
func (m machine) grown() {
	m.t.Helper()
	m.update(func(e *account.Edit) error {
		if err := e.SetRules(oursRules()); err != nil {
			return err
		}
		gone := person("gone", 5003)
		gone.Removed = time.Unix(1795348800, 0)
		for _, a := range []account.Account{
			person("ann", 5001), person("bob", 5002), gone, person("eve", 5005),
			person("fay", 5006),
		} {
			if err := e.Put(a); err != nil {
				return err
			}
		}
		bob, err := e.ByName("bob")
		if err != nil {
			return err
		}
		bob, err = e.Rename(bob, account.Name{Account: "rob", UPN: "rob@contoso.com"})
		if err != nil {
			return err
		}
		if _, err = e.Move(bob, 6002); err != nil {
			return err
		}
		eve, err := e.ByName("eve")
		if err != nil {
			return err
		}
		fay, err := e.ByName("fay")
		if err != nil {
			return err
		}
		return e.Swap(eve, fay)
	})
}

// A name is ours if the store has or had it with this very uid, wherever the host has it from. All
// others are not.
func TestOurs(t *testing.T) {
	m := newMachine(t)
	m.grown()
	stale := []string{
		"ann 5001",                                     // as it is
		"gone 5003",                                    // removed
		"bob 5002", "bob 6002", "rob 5002", "rob 6002", // a former name, a former uid, both
		"eve 5005", "fay 5006", "eve 5006", "fay 5005", // before the exchange and after it
		"new 5001", "ann@contoso.com 5001",
		"ANN 5001", // could be an account whose id belongs to another one now
	}
	m.expect("ours", stale...)
	m.expect("not ours",
		"root 0", "local 1001", "daemon 1", "ann 0", "ann 999", "gone 1",
		"ann 1001", "gone 4242", "bob 1001", "rob 6003", "new 4242",
		// a local name, or another service's, with an id of its own
		"joe@other.com 5001", "sudo 5003", "-x 5003", "5003 5003",
		// no name of ours, with an id of ours
		"root 5003")
	m.expect("ours", "ann -", "new -", "Ann -", "new broken")
	m.expect("not ours", "joe@other.com -", "root -", "sudo -")
	m.expect("31", "root later") // PAM_INCOMPLETE: the name comes with the next call

	// A line of /etc/passwd wins over every record: an account that an administrator made with
	// useradd is not ours.
	lines := "root:x:0:0::/root:/bin/sh\n"
	for _, pair := range stale {
		name, uid, _ := strings.Cut(pair, " ")
		lines += fmt.Sprintf("%s:x:%s:%[2]s::/home/x:/bin/sh\n", name, uid)
	}
	m.write(lines)
	m.expect("not ours", stale...)
	// But the line must say the same as the host. Otherwise a host with an outdated answer
	// would run a session as a former account.
	m.write("gone:x:1003:1003::/home/gone:/bin/sh\n")
	m.expect("ours", "gone 5003")
	m.expect("not ours", "gone 1003")
	m.write("carl:x:5003:5003::/home/carl:/bin/sh\n") // a retired id, for somebody else
	m.expect("ours", "gone 5003")
	m.expect("not ours", "carl 5003")
	// A file that cannot be read has no lines.
	if err := os.Remove(m.passwd); err != nil {
		t.Fatal(err)
	}
	m.expect("ours", stale...)
	m.expect("not ours", "ann 1001")
}

// While the store cannot be read, every name that may be ours by any rules is ours: the worker
// knows the rules of the configuration.
func TestOursWithoutAStore(t *testing.T) {
	m := newMachine(t)
	might := []string{
		"ann 5001", "ann@contoso.com 4242", "joe 300017", "joe 1234", "joe@other.com 5001",
	}
	never := []string{"root 0", "daemon 1", "local 1001", "joe 999"}
	m.expect("not ours", append(slices.Clone(might), never...)...) // before there is a store
	m.grown()
	data, err := os.ReadFile(m.store.Path())
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func() error{
		"cut short": func() error {
			return os.WriteFile(m.store.Path(), data[:len(data)/2], 0o644)
		},
		"others'": func() error { return os.Chmod(m.store.Path(), 0o666) },
		"no file": func() error { return os.Mkdir(m.store.Path(), 0o755) },
		"lost": func() error {
			return os.WriteFile(m.store.Path()+".previous", data, 0o644)
		},
	} {
		t.Run(what, func(t *testing.T) {
			m.t = t
			for _, file := range []string{m.store.Path(), m.store.Path() + ".previous"} {
				if err := os.RemoveAll(file); err != nil {
					t.Fatal(err)
				}
			}
			if what == "others'" {
				if err := os.WriteFile(m.store.Path(), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := spoil(); err != nil {
				t.Fatal(err)
			}
			m.expect("ours", might...)
			m.expect("not ours", never...)
			m.expect("ours", "ann@contoso.com -")
			m.expect("not ours", "ann -")
		})
	}
}
