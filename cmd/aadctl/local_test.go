// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"aadlogin/internal/account"
)

// etc makes a directory with the files that say who is local.
func etc(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Two names of one id own each other's files, and a local name wins over ours.
func TestLocalConflict(t *testing.T) {
	l, err := localsBelow(etc(t, map[string]string{
		"passwd":        "root:x:0:0:root:/root:/bin/sh\n# odd\ndaemon:x:3001:1::/:/bin/sh\n",
		"group":         "root:x:0:\ndevs:x:4000:a,b\n",
		"nsswitch.conf": "passwd: files aad\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		uid  uint32
		want string
	}{
		{"daemon", 3001, ""}, // the same account, in both
		{"alice@contoso.com", 3197663, ""},
		{"alice@contoso.com", 3001, "alice@contoso.com: id 3001 is that of the local account daemon"},
		{"daemon", 3197663, "daemon: a local account of this name has id 3001"},
		{"devs", 3197663, "devs: a local group has this name"},
	} {
		got := ""
		if err := l.conflict(account.Account{Name: c.name, UID: c.uid}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("conflict(%s, %d) = %q, want %q", c.name, c.uid, got, c.want)
		}
	}
}

// What other sources have, the file does not say.
func TestLocalConflictAsksOtherSources(t *testing.T) {
	for nsswitch, want := range map[string]bool{
		"passwd: files aad\n":                               false,
		"# passwd: sss\npasswd:\tfiles systemd aad # sss\n": false,
		"group: sss\n":                                      false,
		"passwd: files [NOTFOUND=continue] sss\n":           true,
		"passwd: compat aad\n":                              true,
	} {
		dir := etc(t, map[string]string{"nsswitch.conf": nsswitch})
		if l, err := localsBelow(dir); err != nil || l.ask != want {
			t.Errorf("%q: %+v, %v", nsswitch, l, err)
		}
	}
	l := &locals{ask: true} // of no file, so whoever is found was asked for
	if err := l.conflict(account.Account{Name: "root", UID: 3001}); err == nil {
		t.Error("root is not found")
	}
	if err := l.conflict(account.Account{Name: "alice@contoso.com", UID: 0}); err == nil {
		t.Error("uid 0 is not found")
	}
}
