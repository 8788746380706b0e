// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package cdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/cdb"
)

const accounts = 300

// accountStore makes a store of accounts with every property, in two updates. The second one copies
// the first.
func accountStore(t *testing.T) (path string, s *account.Snapshot) {
	t.Helper()
	dir := t.TempDir()
	store := account.Store{Dir: dir}
	for _, change := range []func(*account.Edit, int) error{signIn, alter} {
		err := store.Update(func(e *account.Edit) error {
			err := e.SetRules(account.Rules{
				TenantID: "72f988bf-86f1-41af-91ab-2d7cd011db47", Domains: []string{"contoso.com"},
				Low: 70000, High: 80000,
				Home: "/home/%u", Shell: "/bin/bash",
			})
			for i := 0; err == nil && i < accounts; i++ {
				err = change(e, i)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := store.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return filepath.Join(dir, "accounts.cdb"), s
}

func person(i int) string { return fmt.Sprintf("p%d@contoso.com", i) }

func signIn(e *account.Edit, i int) error {
	n, err := e.Rules().Name(person(i))
	if err != nil {
		return err
	}
	first, err := e.NewAccount(n)
	if err != nil {
		return err
	}
	who := account.Identity{
		TenantID: e.Rules().TenantID, ObjectID: fmt.Sprint("o", i), Name: n.Account, UPN: n.UPN,
	}
	_, err = e.Bind(who, first.UID)
	return err
}

func alter(e *account.Edit, i int) error {
	a, err := e.ByName(person(i))
	if err != nil {
		return err
	}
	switch i % 10 {
	case 1:
		a.Admin, a.Groups = true, []uint32{10, 1 << 20} // a newline and NULs in the entry
	case 2:
		a.Name = "new" + a.Name
	case 3:
		a.Removed = a.Created
	}
	return e.Put(a)
}

// A line of cdb's dump is +KEYLENGTH,DATALENGTH:KEY->DATA, with the bytes unescaped.
func dumped(b *bytes.Buffer, key, value []byte) {
	fmt.Fprintf(b, "+%d,%d:%s->%s\n", len(key), len(value), key, value)
}

// TestTinycdbReadsAccounts lets an independent implementation read a store as on a machine.
func TestTinycdbReadsAccounts(t *testing.T) {
	tool, err := exec.LookPath("cdb")
	if err != nil {
		t.Skip("needs the tool cdb of package tinycdb")
	}
	path, s := accountStore(t)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := cdb.New(data)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	records := 0
	for key, value := range db.All() {
		dumped(&want, key, value)
		records++
	}
	dump, err := exec.Command(tool, "-d", path).Output()
	if err != nil ||
		!bytes.Equal(bytes.TrimRight(dump, "\n"), bytes.TrimRight(want.Bytes(), "\n")) {
		t.Errorf("cdb -d disagrees with the %d records that Go reads (%v)", records, err)
	}
	query(t, tool, path, s)
	statistics(t, tool, path, records)
	create := exec.Command(tool, "-c", path+".theirs")
	create.Stdin = bytes.NewReader(append(want.Bytes(), '\n'))
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("cdb -c: %v: %s", err, out)
	}
	if made, err := os.ReadFile(path + ".theirs"); err != nil || !bytes.Equal(made, data) {
		t.Errorf("cdb -c makes other bytes of the same records (%v)", err)
	}
}

// query asks for accounts by every kind of key. The expected answer comes from the account, not
// from another reader.
func query(t *testing.T, tool, path string, s *account.Snapshot) {
	t.Helper()
	seen := 0
	for a := range s.All() {
		if seen++; seen%5 != 0 && len(a.Former) == 0 {
			continue
		}
		text := strings.Join([]string{"*", a.Gecos, a.Home, a.Shell}, "\x00") + "\x00"
		for key, end := range map[string]string{
			fmt.Sprintf("u%08x", a.UID):           a.Name + "\x00" + text,
			"n" + a.Name:                          a.Name + "\x00" + text,
			fmt.Sprintf("a%08x", a.UID):           "}",
			"o" + a.TenantID + "/" + a.ObjectID:   fmt.Sprintf("%08x", a.UID),
			"n" + strings.Join(a.Former, "\x00n"): strings.Join(a.Former, "") + "\x00" + text,
		} {
			if key == "n" {
				continue // no former name
			}
			got, err := exec.Command(tool, "-q", path, key).Output()
			if err != nil || !strings.HasSuffix(string(got), end) {
				t.Errorf("cdb -q %s = %q, %v; want …%q", key, got, err, end)
			}
		}
	}
	if seen != accounts {
		t.Errorf("%d accounts", seen)
	}
	for _, key := range []string{"", "u00000000", "np0", "np0@contoso.co", "np0@contoso.com "} {
		var exit *exec.ExitError
		got, err := exec.Command(tool, "-q", path, key).Output()
		if !errors.As(err, &exit) || exit.ExitCode() != 100 {
			t.Errorf("cdb -q %q = %q, %v; want none", key, got, err)
		}
	}
}

// statistics compares with the numbers that cdb -s prints: how many records there are, and how far
// each is from its slot.
func statistics(t *testing.T, tool, path string, records int) {
	t.Helper()
	out, err := exec.Command(tool, "-s", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^number of records: (\d+)$`).FindSubmatch(out)
	if m == nil || string(m[1]) != fmt.Sprint(records) {
		t.Errorf("cdb -s does not count %d records:\n%s", records, out)
	}
}
