// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"testing/fstest"

	"aadlogin/internal/account"
)

// What other sources have, the files do not say.
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
	l, err := account.ReadLocals(fstest.MapFS{}) // so whoever is found was asked for
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
