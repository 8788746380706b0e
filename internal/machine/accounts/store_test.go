// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aadlogin/internal/machine/rig"
)

func TestDamagedStore(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	for name, damage := range map[string]func(string) []byte{
		"truncated": func(s string) []byte { return []byte(s[:len(s)/2]) },
		"garbage":   func(s string) []byte { return bytes.Repeat([]byte("garbage!"), 600) },
		"empty":     func(string) []byte { return []byte{} },
	} {
		t.Run(name, func(t *testing.T) {
			rig.Edit(t, rig.StoreFile, damage)
			after, err := os.ReadFile(rig.StoreFile)
			if err != nil {
				t.Fatal(err)
			}
			out, status := rig.Command(t, "", "getent", "passwd", "user@contoso.example")
			if status != 2 {
				t.Errorf("getent answers from a damaged store: %s", out)
			}
			mark, codes := rig.Syslog.Mark(), rig.Requests("devicecode")
			c := rig.SSH(t, "user@contoso.example")
			c.Expect(`its account store is damaged; the system log says how to restore it`)
			if status, rest := c.End(); status != 255 || strings.Contains(rest, "assword") {
				t.Errorf("exit status %d, said %q", status, rest)
			}
			rig.Syslog.Settle(t)
			got := rig.Syslog.Find(mark,
				`failed reason="store-damaged" .*accounts\.cdb.*aadctl store restore`)
			if len(got) == 0 {
				t.Errorf("log does not say how to restore: %q", rig.Syslog.Find(mark, ""))
			}
			if n := rig.Requests("devicecode") - codes; n != 0 {
				t.Errorf("%d device codes for a sign-in that cannot succeed", n)
			}
			if now, err := os.ReadFile(rig.StoreFile); err != nil || !bytes.Equal(now, after) {
				t.Errorf("the damaged store was touched: %v", err)
			}
		})
	}
}

// If the store cannot be written, the sign-in fails before success is reported, and no file is
// half-written.
func TestUnwritableStore(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	dir := filepath.Dir(rig.StoreFile)
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, "")
	if err != nil {
		t.Fatal(err)
	}
	before := rig.Must(t, "ls", "-la", dir)
	c := rig.SSH(t, "user@contoso.example", "echo let in")
	c.SignIn("user@contoso.example")
	c.Expect(`may not write where sign-ins are kept; the system log says where`)
	if strings.Contains(c.All(), "\nlet in") {
		t.Error("let in without a stored account")
	}
	if after := rig.Must(t, "ls", "-la", dir); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}
