// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// homes makes directories of these owners, as a lost store leaves them.
func homes(t *testing.T, owners map[string]uint32) (template string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	dir := filepath.Join(t.TempDir(), `[a]*?\`) // which a pattern must not take for its own
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, uid := range owners {
		err := errors.Join(os.Mkdir(filepath.Join(dir, name), 0o700),
			os.Chown(filepath.Join(dir, name), int(uid), int(uid)))
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir + "/%u"
}

// After a store is lost, homes still tell the ids that it had. Nobody gets the id of another. An
// account that had an id of its own is reported, with the line that imports it again.
func TestLostStore(t *testing.T) {
	r := testRules()
	first := func(name string) uint32 {
		return ID(r.TenantID, name+"@contoso.com", 0, r.Low, r.High)
	}
	at := func(name string) string { return name + "@contoso.com" }
	r.Home = homes(t, map[string]uint32{
		at("alice"):       first("alice"), // as she would get it again
		at("bob"):         first("carol"), // who came first then
		at("dave"):        1002,           // imported
		at("o'brien"):     1010,           // whose name a shell takes for a quote
		at("erin"):        1003,           // a local account's by now
		at("root"):        0,
		at("zed"):         1004, // there is a local user of that name
		at("known"):       1005, // is in the store
		"lost":            1006, // is no name of ours
		"x@other.example": 1007,
	})
	l, err := ReadLocals(etc(
		"joe:x:1003:1003::/home/joe:/bin/sh\n"+at("zed")+":x:1008:1008::/:/bin/sh\n", ""))
	if err != nil {
		t.Fatal(err)
	}

	carol := r.First(Name{Account: at("carol"), UPN: at("carol")})
	var left *LeftIDError
	err = l.Homes(r).Unclaimed(carol)
	if !errors.As(err, &left) || left.Left.Name != at("bob") ||
		!strings.Contains(left.Error(), "its id") {
		t.Errorf("carol would get the id of bob's home: %v", err)
	} else if want := "(echo 'bob@contoso.com:*:"; !strings.Contains(left.Fix(), want) {
		t.Errorf("%s, not %s", left.Fix(), want)
	}
	for _, name := range []string{"alice", "bob", "frank"} {
		a := r.First(Name{Account: at(name), UPN: at(name)})
		if err := l.Homes(r).Unclaimed(a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	s := newStore(t)
	known := r.First(Name{Account: at("known"), UPN: at("known")})
	update(t, s, func(e *Edit) error { return errors.Join(e.SetRules(r), e.Put(known)) })
	snapshot, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	all, err := snapshot.Left(l)
	if err != nil || len(all) != 3 || all[0].Name != at("bob") || all[1].Name != at("dave") ||
		all[1].UID != 1002 || all[2].Name != at("o'brien") {
		t.Fatalf("left are %+v, %v", all, err)
	}
	// An import takes the lines, and then nothing is left.
	echo := strings.TrimSuffix(ImportCommand(all), " | aadctl account import -")
	lines, err := exec.Command("sh", "-c", echo).Output()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParsePasswd(bytes.NewReader(lines), r)
	if err != nil || len(parsed) != 3 || parsed[2].Name != at("o'brien") || parsed[2].UID != 1010 {
		t.Fatalf("%q: %v", lines, err)
	}
	update(t, s, func(e *Edit) error { return e.Import(parsed) })
	snapshot, err = s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	if all, err := snapshot.Left(l); err != nil || len(all) != 0 {
		t.Errorf("left are %+v, %v", all, err)
	}
}

// Under the lock the homes are looked at again if one may have come since the look.
func TestHomesNow(t *testing.T) {
	r := testRules()
	carol := r.First(Name{Account: "carol@contoso.com", UPN: "carol@contoso.com"})
	l, err := ReadLocals(etc("", ""))
	if err != nil {
		t.Fatal(err)
	}
	const before, behind = "before the look", "behind it, unseen"
	for name, test := range map[string]struct {
		template, home string
		modified       time.Duration // the directory of homes, ago
		comes          string
		refused        bool
	}{
		"was there":       {"/%u", "bob@contoso.com", time.Hour, before, true},
		"none":            {"/%u", "", time.Hour, "", false},
		"came":            {"/%u", "bob@contoso.com", time.Hour, "behind it", true},
		"came with a dir": {"/%d/%l", "contoso.com/bob", time.Hour, "behind it", true},
		"nothing changed": {"/%u", "bob@contoso.com", time.Hour, behind, false},
		"in one tick":     {"/%u", "bob@contoso.com", -time.Hour, behind, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := strings.TrimSuffix(homes(t, nil), "/%u")
			r.Home = dir + test.template
			modified := time.Now().Add(-test.modified)
			comes := func() error {
				home := filepath.Join(dir, test.home)
				return errors.Join(os.MkdirAll(home, 0o700), os.Chown(home, int(carol.UID), 0))
			}
			settle := func() error { return os.Chtimes(dir, modified, modified) }
			var err error
			if test.comes == before {
				err = comes()
			}
			err = errors.Join(err, settle())
			seen := l.Homes(r)
			switch test.comes {
			case "behind it":
				err = errors.Join(err, comes())
			case behind:
				err = errors.Join(err, comes(), settle())
			}
			if err != nil {
				t.Fatal(err)
			}
			var left *LeftIDError
			if err := seen.UnclaimedNow(carol); errors.As(err, &left) != test.refused {
				t.Errorf("%v", err)
			}
		})
	}
}
