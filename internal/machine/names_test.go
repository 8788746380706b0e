// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stored makes sure that an account has signed in once, whatever tests ran before.
func stored(t *testing.T, name string) {
	t.Helper()
	if _, status := command(t, "", "getent", "passwd", name); status == 0 {
		return
	}
	c := ssh(t, name, "true")
	c.signIn(name)
	if status, rest := c.end(); status != 0 {
		t.Fatalf("%s could not sign in: %s", name, rest)
	}
}

func TestNamesResolveWithoutEntra(t *testing.T) {
	stored(t, "admin@contoso.example")
	entra.Close()
	defer func() {
		if err := startEntra(); err != nil {
			t.Fatal(err)
		}
	}()
	passwd := strings.Split(strings.TrimSpace(must(t, "getent", "passwd", "admin@contoso.example")), ":")
	uid := passwd[2]
	want := []string{"admin@contoso.example", "*", uid, uid, "admin@contoso.example", "/home/admin@contoso.example", "/bin/bash"}
	if strings.Join(passwd, ":") != strings.Join(want, ":") {
		t.Errorf("entry %q, want %q", passwd, want)
	}
	for _, query := range [][]string{
		{"passwd", uid}, {"group", uid}, {"group", "admin@contoso.example"}, {"group", "aad_users"}, {"group", "aad_admins"},
		{"group", "1879048192"}, {"group", "1879048193"},
	} {
		must(t, "getent", query...)
	}
	if members := must(t, "getent", "group", "aad_admins"); !strings.Contains(members, "admin@contoso.example") {
		t.Errorf("members of aad_admins: %s", members)
	}
	for _, database := range []string{"passwd", "group"} { // enumeration
		if all := must(t, "getent", database); !strings.Contains(all, "\nadmin@contoso.example:") {
			t.Errorf("getent %s does not list the account", database)
		}
	}
	if owner := must(t, "ls", "-ld", "/home/admin@contoso.example"); !strings.Contains(owner, "admin@contoso.example admin@contoso.example") {
		t.Errorf("ls says %s", owner)
	}
	if groups := must(t, "id", "admin@contoso.example"); !strings.Contains(groups, "1879048192(aad_users)") || !strings.Contains(groups, "1879048193(aad_admins)") {
		t.Errorf("id says %s", groups)
	}
}

// A never-seen name is nobody to the machine, and somebody to sshd, which asks before it authenticates.
func TestNeverSeenName(t *testing.T) {
	for _, name := range []string{"never@contoso.example", "never@foreign.example"} {
		if out, status := command(t, "", "getent", "passwd", name); status != 2 {
			t.Errorf("getent knows %s: %s", name, out)
		}
	}
	c := ssh(t, "never@contoso.example")
	c.prompted()
	before := requests("devicecode")
	c = ssh(t, "never@foreign.example")
	c.expect(`[Pp]assword: `)
	if n := requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes for a foreign domain", n)
	}
}

func TestDamagedStore(t *testing.T) {
	stored(t, "user@contoso.example")
	for name, damage := range map[string]func(string) []byte{
		"truncated": func(s string) []byte { return []byte(s[:len(s)/2]) },
		"garbage":   func(s string) []byte { return bytes.Repeat([]byte("garbage!"), 600) },
		"empty":     func(string) []byte { return []byte{} },
	} {
		t.Run(name, func(t *testing.T) {
			edit(t, storeFile, damage)
			after, err := os.ReadFile(storeFile)
			if err != nil {
				t.Fatal(err)
			}
			if out, status := command(t, "", "getent", "passwd", "user@contoso.example"); status != 2 {
				t.Errorf("getent answers from a damaged store: %s", out)
			}
			mark, codes := syslog.mark(), requests("devicecode")
			c := ssh(t, "user@contoso.example")
			c.expect(`its account store is damaged; the system log says how to restore it`)
			if status, rest := c.end(); status != 255 || strings.Contains(rest, "assword") {
				t.Errorf("exit status %d, said %q", status, rest)
			}
			if got := syslog.find(mark, `failed reason="store-damaged" .*accounts\.cdb.*install -m 644`); len(got) == 0 {
				t.Errorf("log does not say how to restore: %q", syslog.find(mark, ""))
			}
			if n := requests("devicecode") - codes; n != 0 {
				t.Errorf("%d device codes for a sign-in that cannot succeed", n)
			}
			if now, err := os.ReadFile(storeFile); err != nil || !bytes.Equal(now, after) {
				t.Errorf("the damaged store was touched: %v", err)
			}
		})
	}
}

// A store that cannot be written fails the sign-in before success is reported, and nothing is half-written.
func TestUnwritableStore(t *testing.T) {
	stored(t, "user@contoso.example")
	dir := filepath.Dir(storeFile)
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	before := must(t, "ls", "-la", dir)
	c := ssh(t, "user@contoso.example", "echo let in")
	c.signIn("user@contoso.example")
	c.expect(`the account could not be stored, so nobody was signed in`)
	if strings.Contains(c.all(), "\nlet in") {
		t.Error("let in without a stored account")
	}
	if after := must(t, "ls", "-la", dir); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}
