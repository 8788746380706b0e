// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aadlogin/internal/account"
)

var updateStores = flag.Bool("update-stores", false, "write testdata/stores anew")

const seedDir = "../testdata/stores"

// seed is one input of the fuzz targets: a store, and a question to it. testdata/fuzz/store.c has
// the layout.
type seed struct {
	data []byte
	name string
	uid  uint32
}

func (s seed) bytes() []byte {
	b := append(bytes.Clone(s.data), s.name...)
	b = little.AppendUint32(b, s.uid)
	return append(b, byte(len(s.name)))
}

// made returns the seeds by the names of their files: sound stores, and some that lead in a circle
// or astray. A fuzzer finds the effect of a single changed number itself.
func made(t testing.TB) map[string]seed {
	t.Helper()
	short, wide := testRules(), testRules()
	short.ShortNames, short.Home = true, "/home/%d/%l/%u%%"
	wide.Low, wide.High, wide.Domains = 1000, 1<<32-2, []string{"contoso.com"}
	sound, _ := build(t, testRules(), people)
	all := map[string]seed{
		"sound":  {sound, "admin@contoso.com", 3197663},
		"former": {sound, "was@contoso.com", testRules().Low},
		// internal/account, internal/signin and cmd/aadctl read it, too.
		"tomorrow": {tomorrow(t, sound), "admin@contoso.com", 3197663},
	}
	for name, c := range map[string]struct {
		rules account.Rules
		fill  func(*account.Edit) error
	}{
		"empty": {testRules(), nobody},
		"short": {short, func(e *account.Edit) error { return add(e, "alice", nil) }},
		"wide":  {wide, few},
	} {
		data, _ := build(t, c.rules, c.fill)
		all[name] = seed{data, "alice", 1000}
	}
	for _, d := range slices.Concat(damagedTables(), damagedSlots()) {
		all["damaged-"+d.slug()] = seed{d.applied(sound), "alice@contoso.com", 3197663}
	}
	return all
}

// seeds returns the files, each without its query.
func seeds(t testing.TB) map[string]seed {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(seedDir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no seeds in %s (%v)", seedDir, err)
	}
	const tail = 5 // without the name
	all := map[string]seed{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil || len(b) < tail || len(b) < tail+int(b[len(b)-1]) {
			t.Fatalf("%s: %d bytes, %v", file, len(b), err)
		}
		uid := len(b) - tail
		name := uid - int(b[len(b)-1])
		all[filepath.Base(file)] = seed{b[:name:name], string(b[name:uid]), little.Uint32(b[uid:])}
	}
	return all
}

// The seeds in the repository have today's format: fuzzers begin at stores that can be read, and
// not at former ones.
func TestSeedsAreCurrent(t *testing.T) {
	want := made(t)
	if *updateStores {
		for name, s := range want {
			if err := os.WriteFile(filepath.Join(seedDir, name), s.bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	have := seeds(t)
	for name, s := range want {
		if got, ok := have[name]; !ok || !bytes.Equal(got.bytes(), s.bytes()) {
			t.Errorf("%s/%s is missing or of another format; run go test ./nss -run "+
				"SeedsAreCurrent -update-stores", seedDir, name)
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			t.Errorf("%s/%s: nothing makes this seed", seedDir, name)
		}
	}
}

// few fills a small store: an administrator, and somebody renamed.
func few(e *account.Edit) error {
	err := add(e, "a@contoso.com", func(a *account.Account) {
		a.Admin, a.Groups = true, []uint32{27}
	})
	if err != nil {
		return err
	}
	return add(e, "b@contoso.com", func(a *account.Account) { a.Name = "c@contoso.com" })
}
