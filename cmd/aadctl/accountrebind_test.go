// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"aadlogin/internal/account"
)

// terminal returns a terminal at which a person has typed.
func terminal(t *testing.T, typed string) *os.File {
	t.Helper()
	host, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { host.Close() })
	if err := unix.IoctlSetPointerInt(int(host.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(host.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { in.Close() })
	if _, err := host.WriteString(typed + "\n"); err != nil {
		t.Fatal(err)
	}
	return in
}

// Only a yes gives anybody the files of another person.
func TestRebindAsks(t *testing.T) {
	store := account.Store{Dir: t.TempDir() + "/store", Etc: fstest.MapFS{}}
	err := store.Update(func(e *account.Edit) error {
		err := e.SetRules(account.Rules{TenantID: "t", Domains: []string{"contoso.com"}, Low: 70000,
			High: 80000, Home: "/home/%u", Shell: "/bin/sh"})
		if err != nil {
			return err
		}
		return e.Put(account.Account{Name: "alice@contoso.com", UPN: "alice@contoso.com",
			UID: 71000, Home: "/home/a", Shell: "/bin/sh", TenantID: "t", ObjectID: "old"})
	})
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]bool{"y": true, "Y ": true, "": false,
		"n": false, "yes please": false} {
		var out bytes.Buffer
		to := rebinding{object: "new", in: terminal(t, typed)}
		if err := to.ask(&out, store, "alice@contoso.com"); (err == nil) != want {
			t.Errorf("%q: %v", typed, err)
		}
		if said := out.String(); !strings.Contains(said,
			"alice@contoso.com, uid 71000, with /home/a and all its files, is that of object "+
				"old.\nWhoever signs in as object new gets it.") {
			t.Errorf("asked %q", said)
		}
	}
}
