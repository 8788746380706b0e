// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"testing/fstest"

	"aadlogin/internal/account"
)

// Other sources know what the files do not say.
func TestOtherSources(t *testing.T) {
	for nsswitch, want := range map[string]bool{
		"passwd: files aad\n":                               false,
		"# passwd: sss\npasswd:\tfiles systemd aad # sss\n": false,
		"hosts: files dns\n":                                false,
		"group: files sss\n":                                true,
		"passwd: files [NOTFOUND=continue] sss\n":           true,
		"passwd: compat aad\n":                              true,
	} {
		etc := fstest.MapFS{"nsswitch.conf": {Data: []byte(nsswitch)}}
		if got := besides(etc) != nil; got != want {
			t.Errorf("%q: %v", nsswitch, got)
		}
	}
	if besides(fstest.MapFS{}) != nil {
		t.Error("a machine without nsswitch.conf has other sources")
	}
}

func TestNameServiceIsAsked(t *testing.T) {
	l, err := account.ReadLocals(fstest.MapFS{}) // no files, so every answer comes from a source
	if err != nil {
		t.Fatal(err)
	}
	l.Besides = nameService{}
	for what, a := range map[string]account.Account{
		"a user's name":  {Name: "root", UID: 3001},
		"a uid":          {Name: "alice@contoso.com", UID: 0},
		"a group's name": {Name: "shadow", UID: 3001},
	} {
		if l.Conflict(a) == nil {
			t.Errorf("%s is not found", what)
		}
	}
	if err := l.Conflict(account.Account{Name: "alice@contoso.com", UID: 3197663}); err != nil {
		t.Error(err)
	}
}

// Many accounts are asked for at once, and only from the other sources. An account that was not
// asked for is looked up as usual.
func TestManyAreAskedForAtOnce(t *testing.T) {
	l, err := account.ReadLocals(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	fine := account.Account{Name: "alice@contoso.com", UID: 3197663}
	for what, a := range map[string]account.Account{
		"a user's name":  {Name: "root", UID: 3001},
		"a uid":          {Name: "alice@contoso.com", UID: 0},
		"a group's name": {Name: "shadow", UID: 3001},
		"a gid":          {Name: "bob@contoso.com", UID: gidOf(t, "shadow")},
	} {
		// The source "files" stands for another one, because it has these names.
		service := nameService{users: []string{"files"},
			groups: []string{"files"}}.about([]account.Account{fine, a})
		all, ok := service.(answers)
		if !ok || !all.asked[a.Name] || !all.asked[fine.Name] {
			t.Fatalf("%s: getent has not been asked", what)
		}
		l.Besides = service
		if l.Conflict(a) == nil {
			t.Errorf("%s is not found", what)
		}
		if err := l.Conflict(fine); err != nil {
			t.Error(err)
		}
	}
	l.Besides = nameService{users: []string{"nowhere"}}.about([]account.Account{fine,
		{Name: "root", UID: 3001}})
	if err := l.Conflict(account.Account{Name: "root", UID: 3001}); err != nil {
		t.Errorf("the files are asked again: %v", err)
	}
	if l.Conflict(account.Account{Name: "daemon", UID: 3001}) == nil {
		t.Error("who was not asked for is not looked up")
	}
}

func gidOf(t *testing.T, group string) uint32 {
	t.Helper()
	gid, ok := nameService{}.GID(group)
	if !ok {
		t.Skipf("no group %s here", group)
	}
	return gid
}
