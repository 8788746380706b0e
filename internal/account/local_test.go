// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func etc(passwd, group string) fstest.MapFS {
	return fstest.MapFS{"passwd": {Data: []byte(passwd)}, "group": {Data: []byte(group)}}
}

// Two names of one id own each other's files, and a local name takes precedence over ours.
func TestLocalConflict(t *testing.T) {
	l, err := ReadLocals(etc(
		"root:x:0:0:root:/root:/bin/sh\n#old:x:3009:3009::/:/bin/sh\n  "+
			"daemon:x:3001:1::/:/bin/sh\ntoor:x:0003002:77::/:/bin/sh\nalso:x:3002:78:::\n+nis::::::\nhalf:x:3010\n",
		"root:x:0:\ndevs:x:4000:a,b\nshort:x:4001\nbroken:x:4x\nlong:x:4002:"+
			strings.Repeat("somebody,", 20000)+"\n"))
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
		{"alice@contoso.com", 3009, ""},
		{"alice@contoso.com", 3010, ""},
		{"alice@contoso.com", 3001,
			"alice@contoso.com: id 3001 is that of the local account daemon"},
		{"toor", 3002, "toor: id 3002 is that of the local account also"},
		{"also", 3002, "also: id 3002 is that of the local account toor"},
		{"alice@contoso.com", 77,
			"alice@contoso.com: id 77 is that of the group of the local account toor"},
		{"alice@contoso.com", 4000, "alice@contoso.com: id 4000 is that of the local group devs"},
		{"alice@contoso.com", 4001, "alice@contoso.com: id 4001 is that of the local group short"},
		{"alice@contoso.com", 4002, "alice@contoso.com: id 4002 is that of the local group long"},
		{"daemon", 3197663, "daemon: a local account of this name has id 3001"},
		{"devs", 3197663, "devs: a local group has this name"},
		{"devs", 4000, "devs: a local group has this name"},
	} {
		got := ""
		if err := l.Conflict(Account{Name: c.name, UID: c.uid}); err != nil {
			got = strings.TrimPrefix(err.Error(), "account: ")
		}
		if got != c.want {
			t.Errorf("Conflict(%s, %d) = %q, want %q", c.name, c.uid, got, c.want)
		}
	}
}

// Every way to give an account a name or an id applies the same rule.
func TestEveryChangeAsksWhoIsLocal(t *testing.T) {
	rules := testRules()
	rules.ShortNames = true
	s := newStore(t)
	s.Etc = etc("", "")
	bind(t, s, rules, "alice")
	imported := Account{
		Name: "imp", UPN: "imp@contoso.com", UID: 4242, Home: "/home/imp", Shell: "/bin/sh",
	}
	update(t, s, func(e *Edit) error { return e.Put(imported) })
	first := ID(tenant, "new@contoso.com", 0, rules.Low, rules.High)
	for what, c := range map[string]struct {
		etc    fs.FS
		change func(*Edit) error
		want   string
	}{
		"first sign-in, a user's": {etc("joe:x:"+str(first)+":100:::\n", ""), func(e *Edit) error {
			_, err := e.Bind(Identity{tenant, "oid-new", "new", "new@contoso.com"}, first)
			return err
		}, "account: new: id " + str(first) + " is that of the local account joe"},
		"first sign-in, a group's": {etc("", "devs:x:"+str(first)+":\n"), func(e *Edit) error {
			_, err := e.Bind(Identity{tenant, "oid-new", "new", "new@contoso.com"}, first)
			return err
		}, "account: new: id " + str(first) + " is that of the local group devs"},
		"first sign-in of an import": {etc("joe:x:4242:100:::\n", ""), func(e *Edit) error {
			_, err := e.Bind(Identity{tenant, "oid-imp", "imp", "imp@contoso.com"}, 4242)
			return err
		}, "account: imp: id 4242 is that of the local account joe"},
		"import": {etc("", "devs:x:4243:\n"), func(e *Edit) error {
			return e.Import([]Account{
				{Name: "b", UPN: "b@contoso.com", UID: 4243, Home: "/", Shell: "/bin/sh"},
			})
		}, "account: b: id 4243 is that of the local group devs"},
		"rename": {etc("joe:x:5000:100:::\n", ""), func(e *Edit) error {
			a, err := e.ByName("alice")
			if err != nil {
				return err
			}
			_, err = e.Rename(a, Name{"joe", "joe@contoso.com"})
			return err
		}, "account: joe: a local account of this name has id 5000"},
		"renamed in Entra ID": {etc("", "devs:x:5000:\n"), func(e *Edit) error {
			a, err := e.ByName("alice")
			if err != nil {
				return err
			}
			_, err = e.Bind(Identity{a.TenantID, a.ObjectID, "devs", "devs@contoso.com"}, a.UID)
			return err
		}, "account: devs: a local group has this name"},
		"set": {etc("", "devs:x:5000:\n"), func(e *Edit) error {
			a, err := e.ByName("alice")
			if err != nil {
				return err
			}
			_, err = e.Move(a, 5000)
			return err
		}, "account: alice: id 5000 is that of the local group devs"},
	} {
		before := open(t, s).data
		s := s
		s.Etc = c.etc
		err := s.Update(c.change)
		var conflict *ConflictError
		if !errors.As(err, &conflict) || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", what, err, c.want)
		}
		if string(open(t, s).data) != string(before) {
			t.Errorf("%s: something was stored", what)
		}
	}
}

func str(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// unreadable is an /etc whose files cannot be read.
type unreadable struct{}

func (unreadable) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

// If the local users cannot be read, a conflict is not ruled out.
func TestLocalsThatCannotBeRead(t *testing.T) {
	s := newStore(t)
	update(t, s, func(e *Edit) error { return e.SetRules(testRules()) })
	s.Etc = unreadable{}
	err := s.Update(func(e *Edit) error {
		first, err := e.NewAccount(Name{"a@contoso.com", "a@contoso.com"})
		if err != nil {
			return err
		}
		_, err = e.Bind(person("a@contoso.com"), first.UID)
		return err
	})
	if !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// FuzzLocals checks that reading any files ends, and that a line of passwd(5) is found.
func FuzzLocals(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/sh\n", "root:x:0:\n")
	f.Add("+::::::\n#\n:::::\n", ":x:4294967296:\n")
	f.Fuzz(func(t *testing.T, passwd, group string) {
		l, err := ReadLocals(etc(passwd+"\njoe:x:5000:100:::\n", group+"\ndevs:x:6000:\n"))
		if err != nil {
			return // a line longer than any
		}
		if l.Conflict(Account{Name: "a", UID: 5000}) == nil ||
			l.Conflict(Account{Name: "a", UID: 6000}) == nil {
			t.Error("not found")
		}
	})
}
