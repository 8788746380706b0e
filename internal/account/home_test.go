// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func TestHomeOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	const uid, other = 3197663, 1002
	l, err := ReadLocals(etc("zed:x:1002:1002::/home/zed:/bin/sh\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	dirOf := func(name string, owner int) string {
		if err := os.Mkdir(at(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(at(name), owner, owner); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	link := func(name, to string, owner int) string {
		if err := os.Symlink(to, at(name)); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(at(name), owner, owner); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	file := at("file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, other, 0); err != nil {
		t.Fatal(err)
	}
	zeds, own, roots := dirOf("zed", other), dirOf("own", uid), dirOf("root", 0)
	for home, want := range map[string]string{
		at("not there"):                    "",
		at("not/there"):                    "",
		own:                                "",
		roots:                              "",
		dirOf("nobody knows", overflowUID): "",
		dirOf("stranger", 4711):            "uid 4711",
		zeds:                               "zed (uid 1002)",
		file:                               "zed (uid 1002)",
		link("roots link", zeds, 0):        "zed (uid 1002)",
		link("zeds link", own, other):      "zed (uid 1002)",
		link("own link", own, uid):         "",
		link("dangling", at("nowhere"), 0): "",
		link("circle", at("circle"), 0):    "",
	} {
		a := Account{Name: "zed@contoso.com", UID: uid, Home: home}
		got := ""
		if err := l.Home(a); err != nil {
			got = err.Error()
		}
		if want != "" {
			want = fmt.Sprintf("account: zed@contoso.com: home %s belongs to %s", home, want)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", home, got, want)
		}
	}
}

// A file server that never answers delays nobody. The test uses FUSE: its server answers the first
// request and then nothing more.
func TestHomeThatNeverAnswers(t *testing.T) {
	fuse, err := syscall.Open("/dev/fuse", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		t.Skip("no FUSE here: ", err)
	}
	defer syscall.Close(fuse) // which answers for it
	dir := t.TempDir()
	err = syscall.Mount("silent", dir, "fuse", 0,
		fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fuse))
	if err != nil {
		t.Skip("no FUSE here: ", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	asked := make([]byte, 1<<17)
	if _, err := syscall.Read(fuse, asked); err != nil {
		t.Fatal(err)
	}
	// This is fuse_init_out of linux/fuse.h behind its header: version 7.31, with no optional
	// feature.
	answer := little.AppendUint32(nil, 16+64)
	answer = little.AppendUint32(answer, 0)
	answer = append(answer, asked[8:16]...)
	answer = little.AppendUint32(little.AppendUint32(answer, 7), 31)
	answer = append(answer, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0x10, 0, 0, 1, 0, 0, 0)
	_, err = syscall.Write(fuse, append(answer, make([]byte, 16+64-len(answer))...))
	if err != nil {
		t.Fatal(err)
	}
	l, err := ReadLocals(etc("", ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Home(Account{Name: "a@contoso.com", UID: 5000, Home: dir + "/a"}); err != nil {
		t.Error(err)
	}
	if n, err := syscall.Read(fuse, asked); err != nil || n < 40 { // or the test has tested nothing
		t.Errorf("nobody asked: %d bytes, %v", n, err)
	}
}

func TestSharedHomes(t *testing.T) {
	l, err := ReadLocals(etc("root:x:0:0::/root:/bin/sh\nzed:x:1002:1002::/home/zed:/bin/sh\nann:x:1003:1003::/srv/contoso.com/a.b:/bin/sh\n"+
		"tom:x:1004:1004::/home/bob@fabrikam.com:/bin/sh\nCap:x:1005:1005::/home/Cap:/bin/sh\njim:x:1006:1006::/home/zed:/bin/sh\nnohome:x:1:1\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		home  string
		short bool
		want  []SharedHome
	}{
		{"/home/%u", false, []SharedHome{{"/home/bob@fabrikam.com", "tom", "bob@fabrikam.com"}}},
		{"/home/%l", false, []SharedHome{{"/home/zed", "jim", "zed@contoso.com"},
			{"/home/zed", "zed", "zed@contoso.com"}}},
		{"/home/%u", true, []SharedHome{{"/home/bob@fabrikam.com", "tom", "bob@fabrikam.com"},
			{"/home/zed", "jim", "zed"}}},
		{"/srv/%d/%l", false, []SharedHome{{"/srv/contoso.com/a.b", "ann", "a.b@contoso.com"}}},
		{"/srv/%l/%d", false, nil},
		{"/home/%l%%", false, nil},
		{"/home/%l/%l", false, nil},
	} {
		r := testRules()
		r.Home, r.ShortNames = c.home, c.short
		if got := l.SharedHomes(r); !slices.Equal(got, c.want) {
			t.Errorf("%s, short names %v: %v, want %v", c.home, c.short, got, c.want)
		}
	}
}
