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

// claims is a machine with a store and an /etc/passwd, and a host whose name service answers whatever it likes.
type claims struct {
	t       *testing.T
	program string
	store   account.Store
	passwd  string
}

const claimTenant = "11111111-2222-3333-4444-555555555555"

func claimRules() account.Rules {
	return account.Rules{
		TenantID: claimTenant, Domains: []string{"contoso.com"}, ShortNames: true, Low: 300000, High: 400000, Home: "/home/%u", Shell: "/bin/sh",
	}
}

func newClaims(t *testing.T) claims {
	t.Helper()
	asRoot(t)                                  // the name service reads no store but root's
	dir := filepath.Join(builtHere, "machine") // the same for each test: it is compiled in
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	c := claims{t: t, store: account.Store{Dir: dir}, passwd: filepath.Join(dir, "passwd")}
	sources, err := filepath.Glob("../nss/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("%q, %v", sources, err)
	}
	c.program = harness(t, "ours", append(sources,
		fmt.Sprintf("-DAAD_STORE=%q", c.store.Path()), fmt.Sprintf("-DAAD_PASSWD=%q", c.passwd))...)
	c.write("root:x:0:0::/root:/bin/sh\nlocal:x:1001:1001::/:/bin/sh\n")
	return c
}

func (c claims) write(passwd string) {
	c.t.Helper()
	if err := os.WriteFile(c.passwd, []byte(passwd), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c claims) update(change func(*account.Edit) error) {
	c.t.Helper()
	if err := c.store.Update(change); err != nil {
		c.t.Fatal(err)
	}
}

// expect asks about pairs "NAME UID".
func (c claims) expect(want string, pairs ...string) {
	c.t.Helper()
	got := play(c.t, c.program, strings.Fields(strings.Join(pairs, " "))...)
	if len(got) != len(pairs) {
		c.t.Fatalf("%d answers, %d questions", len(got), len(pairs))
	}
	for i, line := range got {
		if line != want {
			c.t.Errorf("%s: %s, want %s", pairs[i], line, want)
		}
	}
}

func person(name string, uid uint32) account.Account {
	return account.Account{Name: name, UPN: strings.TrimSuffix(name, "@contoso.com") + "@contoso.com", UID: uid, Home: "/home/x", Shell: "/bin/sh"}
}

// grown fills the store with accounts to which everything has happened.
func (c claims) grown() {
	c.t.Helper()
	c.update(func(e *account.Edit) error {
		if err := e.SetRules(claimRules()); err != nil {
			return err
		}
		gone := person("gone", 5003)
		gone.Removed = time.Unix(1795348800, 0)
		for _, a := range []account.Account{person("ann", 5001), person("bob", 5002), gone, person("eve", 5005), person("fay", 5006)} {
			if err := e.Put(a); err != nil {
				return err
			}
		}
		bob, err := e.ByName("bob")
		if err != nil {
			return err
		}
		if bob, err = e.Rename(bob, account.Name{Account: "rob", UPN: "rob@contoso.com"}); err != nil {
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

// What is or was the store's with this very uid is ours, from wherever the host has it; everybody else is not.
func TestClaims(t *testing.T) {
	c := newClaims(t)
	c.grown()
	stale := []string{
		"ann 5001",                                     // as it is
		"gone 5003",                                    // removed
		"bob 5002", "bob 6002", "rob 5002", "rob 6002", // a former name, a former uid, both
		"eve 5005", "fay 5006", "eve 5006", "fay 5005", // before the exchange and after it
		"new 5001", "ann@contoso.com 5001", "ANN 5001", // could be an account, whose id another has got meanwhile
	}
	c.expect("ours", stale...)
	c.expect("not ours",
		"root 0", "local 1001", "daemon 1", "ann 0", "ann 999", "gone 1",
		"ann 1001", "gone 4242", "bob 1001", "rob 6003", "new 4242", // a local name, or another service's, with an id of its own
		"joe@other.com 5001", "sudo 5003", "-x 5003", "5003 5003", // no name of ours, with an id of ours
		"root 5003")
	c.expect("ours", "ann -", "new -", "Ann -", "new broken")
	c.expect("not ours", "joe@other.com -", "root -", "sudo -")

	// A line of /etc/passwd wins over every record: what an administrator has made with useradd is theirs.
	lines := "root:x:0:0::/root:/bin/sh\n"
	for _, pair := range stale {
		name, uid, _ := strings.Cut(pair, " ")
		lines += fmt.Sprintf("%s:x:%s:%[2]s::/home/x:/bin/sh\n", name, uid)
	}
	c.write(lines)
	c.expect("not ours", stale...)
	// But the line must say what the host does: else a host that is behind would run a session as the account that was.
	c.write("gone:x:1003:1003::/home/gone:/bin/sh\n")
	c.expect("ours", "gone 5003")
	c.expect("not ours", "gone 1003")
	c.write("carl:x:5003:5003::/home/carl:/bin/sh\n") // a retired id, for somebody else
	c.expect("ours", "gone 5003")
	c.expect("not ours", "carl 5003")
	// A file that cannot be read has no lines.
	if err := os.Remove(c.passwd); err != nil {
		t.Fatal(err)
	}
	c.expect("ours", stale...)
	c.expect("not ours", "ann 1001")
}

// While the store cannot be read, everybody is ours who might be, by whatever rules: the worker knows those of the configuration.
func TestClaimsWithoutAStore(t *testing.T) {
	c := newClaims(t)
	might := []string{"ann 5001", "ann@contoso.com 4242", "joe 300017", "joe 1234", "joe@other.com 5001"}
	never := []string{"root 0", "daemon 1", "local 1001", "joe 999"}
	c.expect("not ours", append(slices.Clone(might), never...)...) // before there is any
	c.grown()
	data, err := os.ReadFile(c.store.Path())
	if err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func() error{
		"cut short": func() error { return os.WriteFile(c.store.Path(), data[:len(data)/2], 0o644) },
		"others'":   func() error { return os.Chmod(c.store.Path(), 0o666) },
		"no file":   func() error { return os.Mkdir(c.store.Path(), 0o755) },
		"lost": func() error {
			return os.WriteFile(c.store.Path()+".previous", data, 0o644)
		},
	} {
		t.Run(what, func(t *testing.T) {
			c.t = t
			for _, file := range []string{c.store.Path(), c.store.Path() + ".previous"} {
				if err := os.RemoveAll(file); err != nil {
					t.Fatal(err)
				}
			}
			if what == "others'" {
				if err := os.WriteFile(c.store.Path(), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := spoil(); err != nil {
				t.Fatal(err)
			}
			c.expect("ours", might...)
			c.expect("not ours", never...)
			c.expect("ours", "ann@contoso.com -")
			c.expect("not ours", "ann -")
		})
	}
}
