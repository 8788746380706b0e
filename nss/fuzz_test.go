// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/cdb"
)

const largest = 1 << 20 // of the stores that fuzzers try

// FuzzStore gives C any bytes as a store, with memory that ends exactly behind them.
func FuzzStore(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s.data, s.name, s.uid)
	}
	g := guard(f, largest)
	f.Fuzz(func(t *testing.T, data []byte, name string, uid uint32) {
		if len(data) > largest || strings.Contains(name, "\x00") {
			return
		}
		if s, isStore := openStore(g.put(data)); isStore {
			defer s.Close()
			ask(t, s, name, uid)
		}
	})
}

// FuzzReaders checks that the two readers of the format see the same records and the same damage in
// any bytes.
func FuzzReaders(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s.data, []byte("n"+s.name))
		f.Add(s.data, []byte("r"))
	}
	g := guard(f, largest)
	f.Fuzz(func(t *testing.T, data, key []byte) {
		if len(data) > largest || len(key) == 0 {
			return
		}
		var want []byte
		db, err := cdb.New(data)
		if err == nil {
			want, err = db.Get(key)
		}
		p, n := g.put(data)
		got, r := get(p, n, key)
		if (r == damaged) != errors.Is(err, cdb.ErrDamaged) || (r == ok) != (want != nil) ||
			!bytes.Equal(got, want) {
			t.Errorf("key %q: C %q, %v; Go %q, %v", key, got, r, want, err)
		}
	})
}

// FuzzAccounts checks that the two readers of the store see the same accounts in any bytes; see
// agree.
func FuzzAccounts(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s.data, s.name, s.uid)
	}
	asked := testRules()
	asked.PreAuthServices = []string{self(f)} // the fuzzer may ask before the first sign-in
	asked.SignInServices = []string{"sshd", "sudo"}
	data, _ := build(f, asked, few)
	f.Add(data, "new@contoso.com", uint32(1000))
	both := newReaders(f, largest)
	f.Fuzz(func(t *testing.T, data []byte, name string, uid uint32) {
		if len(data) <= largest && !strings.Contains(name, "\x00") {
			both.agree(t, data, name, uid)
		}
	})
}

// Flipped anywhere, a store is to both readers the same.
func TestReadersAgreeOnDamage(t *testing.T) {
	data, snapshot := build(t, testRules(), few)
	both := newReaders(t, len(data))
	i := 0
	for a := range snapshot.All() {
		for ; i < len(data); i++ {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << (i % 8)
			both.agree(t, bad, a.Name, a.UID)
		}
		i = cdb.HeaderSize
	}
	listed := testRules()
	listed.SignInServices = []string{"sshd", "sudo"}
	data, _ = build(t, listed, nobody)
	for i := cdb.HeaderSize; i < len(data); i++ {
		bad := bytes.Clone(data)
		bad[i] ^= 1 << (i % 8)
		both.agree(t, bad, "sshd", 1000)
	}
	for _, s := range made(t) {
		newReaders(t, len(s.data)).agree(t, s.data, s.name, s.uid)
	}
}

// readers are Go's, which reads a file, and C's.
type readers struct {
	store account.Store
	file  *os.File
	edge  *guarded
}

func newReaders(t testing.TB, max int) readers {
	dir := t.TempDir()
	f, err := os.OpenFile(filepath.Join(dir, "accounts.cdb"),
		os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return readers{account.Store{Dir: dir}, f, guard(t, max)}
}

// agree compares what the readers say of one name and one uid. Go reads more
// of a store and demands more of its text, so it may see damage where C has an
// answer or none. In all else they are the same, but that C
//
//   - looks up no name that cannot be one: without an @ while short names are
//     off, or too long;
//   - answers a name from the entry under the name, and Go from the one under
//     the uid, which a writer makes equal.
func (r readers) agree(t *testing.T, data []byte, name string, uid uint32) {
	t.Helper()
	if _, err := r.file.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
	if err := r.file.Truncate(int64(len(data))); err != nil {
		t.Fatal(err)
	}
	g, err := r.store.Open()
	if err != nil {
		return
	}
	defer g.Close()
	c, isStore := openStore(r.edge.put(data))
	if !isStore {
		t.Fatal("Go reads a store that C refuses")
	}
	defer c.Close()
	services := g.Rules().SignInServices
	for _, service := range append([]string{name}, services...) {
		listed, there := c.lists(service)
		if listed != slices.Contains(services, service) || there != (services != nil) {
			t.Fatalf("C finds service %q: %v, in a list: %v; Go's is %q",
				service, listed, there, services)
		}
	}
	sound := g.Check() == nil
	want, err := g.ByUID(uid)
	got, found := c.passwdByUID(uid, enough)
	matches(t, sound, want, err, got, found)
	if nameable(g.Rules(), name) && (sound || oneEntry(data, name)) {
		want, err = byName(t, g, name)
		got, found = c.passwdByName(name, enough)
		matches(t, sound, want, err, got, found)
	}
	had, err := g.Had(name, uid)
	inC := c.had(name, uid)
	if sound && (err != nil || (inC == ok) != had || inC == damaged) ||
		err == nil && had && inC == absent {
		t.Errorf("sound %v: C had: %v; Go had: %v, %v", sound, inC, had, err)
	}
	if sound {
		enumerated(t, g, c)
	}
}

func nameable(r account.Rules, name string) bool {
	return len(name) <= 113 && (r.ShortNames || strings.Contains(name, "@"))
}

// oneEntry reports whether the entry under a name is also the one under its uid, or there is none
// under the name.
func oneEntry(data []byte, name string) bool {
	db, err := cdb.New(data)
	if err != nil {
		return false
	}
	entry, err := db.Get([]byte("n" + name))
	if err != nil || len(entry) < 4 {
		return entry == nil
	}
	other, err := db.Get(fmt.Appendf(nil, "u%08x", little.Uint32(entry)))
	return err == nil && bytes.Equal(entry, other)
}

// byName also returns the answer for a name that nobody has had, if these rules let this program
// know of it.
func byName(t *testing.T, g *account.Snapshot, name string) (account.Account, error) {
	a, err := g.ByName(name)
	if !errors.Is(err, account.ErrUnknown) || os.Geteuid() != 0 ||
		!slices.Contains(g.Rules().PreAuthServices, self(t)) {
		return a, err
	}
	n, bad := g.Rules().Name(name)
	if bad != nil {
		return a, err
	}
	switch first, err := g.NewAccount(n); {
	case errors.Is(err, account.ErrNoID), errors.Is(err, account.ErrOtherObject):
		return account.Account{}, account.ErrUnknown
	default:
		return first, err
	}
}

func matches(t *testing.T, sound bool, want account.Account, err error, got passwd, found result) {
	t.Helper()
	var gone *account.DamagedError
	agree := false
	switch {
	case err == nil:
		agree = found == ok && got == wantPasswd(want)
	case errors.Is(err, account.ErrUnknown), errors.Is(err, account.ErrRemoved):
		agree = found == absent
	case errors.As(err, &gone):
		agree = !sound
	}
	if !agree {
		t.Errorf("sound %v: C %+v, %v; Go %+v, %v", sound, got, found, want, err)
	}
}

func enumerated(t *testing.T, g *account.Snapshot, c store) {
	t.Helper()
	var want []passwd
	var members []string
	low := g.Rules().Low
	for a := range g.All() {
		if !a.Removed.IsZero() {
			continue
		}
		want = append(want, wantPasswd(a))
		groups := []uint32{low}
		if a.Admin {
			groups = append(groups, low+1)
		}
		groups = append(groups, a.Groups...)
		got, found := c.initgroups(a.Name, a.UID, nil, 1, -1)
		if nameable(g.Rules(), a.Name) &&
			(found != ok || !slices.Equal(got, unique(groups, a.UID))) {
			t.Errorf("C: %v, %v; Go has %s in %v", got, found, a.Name, groups)
		}
		if a.Admin {
			members = append(members, a.Name)
		}
	}
	if got := c.all(false); !slices.Equal(got, want) {
		t.Errorf("C lists %+v, Go %+v", got, want)
	}
	got, found := c.groupByName("aad_admins", largest, 0)
	if found != ok || !slices.Equal(got.members, members) {
		t.Errorf("C: %+v, %v; Go's members of aad_admins %q", got, found, members)
	}
}

// unique returns a list as initgroups makes it: each group once, without the primary one and 0.
func unique(groups []uint32, primary uint32) (list []uint32) {
	for _, g := range groups {
		if g != 0 && g != primary && !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	return list
}
