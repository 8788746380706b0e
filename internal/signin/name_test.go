// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/token"
)

const stranger = "99999999-9999-9999-9999-999999999999"

// An attempt that cannot succeed asks no server: no code is wasted and no server learns of it.
func TestRefusedEarly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		lines   string
		prepare func(*testing.T, *machine, *Request)
		want    Verdict
		told    string
		logged  string
	}{
		{name: "no configuration",
			prepare: func(_ *testing.T, m *machine, _ *Request) { os.Remove(m.config) },
			want:    Misconfigured, told: "not configured correctly", logged: "does not exist"},
		{name: "broken configuration",
			prepare: func(_ *testing.T, m *machine, _ *Request) {
				m.write(m.config, "tenant_id = 1\n")
			},
			want: Misconfigured, told: "not configured correctly",
			logged: "config.toml:1: tenant_id"},
		{name: "configuration of others",
			prepare: func(_ *testing.T, m *machine, _ *Request) { os.Chmod(m.config, 0o666) },
			want:    Misconfigured, told: "not configured correctly", logged: "chmod"},
		{name: "other domain",
			prepare: func(_ *testing.T, _ *machine, r *Request) {
				r.User = "user@fabrikam.example"
			}, want: NotOurs},
		{name: "local name",
			prepare: func(_ *testing.T, _ *machine, r *Request) { r.User = "root" }, want: NotOurs},
		{name: "capitals",
			prepare: func(_ *testing.T, _ *machine, r *Request) { r.User = "User@contoso.example" },
			want:    Denied, told: "This account is spelled user@contoso.example",
			logged: "misspelt-name"},
		{name: "damaged store", prepare: func(t *testing.T, m *machine, _ *Request) {
			m.put(m.person(user, userOID))
			m.write(filepath.Join(m.store.Dir, "accounts.cdb"), strings.Repeat("garbage!", 600))
		}, want: Misconfigured, told: "store is damaged", logged: "store-damaged"},
		{name: "unknown to a host that must know it",
			lines: `accounts.pre_auth_services = ["sshd", "` + filepath.Base(os.Args[0]) + `"]`,
			want:  Misconfigured, told: "name service", logged: "nsswitch.conf"},
		{name: "a host behind the times", lines: `accounts.pre_auth_services = ["` +
			filepath.Base(os.Args[0]) + `"]`, prepare: func(_ *testing.T, m *machine, r *Request) {
			r.KnownToHost, r.UID = true, m.firstID(user)+1
			r.StoreInode, r.StoreModified = 42, 42
		}, want: Denied, told: "changed while you were connecting", logged: "stale-lookup"},
		{name: "former name", prepare: func(_ *testing.T, m *machine, _ *Request) {
			a := m.person(user, userOID)
			m.put(a)
			a.Name, a.UPN = "new@contoso.example", "new@contoso.example"
			m.put(a)
		}, want: Denied, told: "no longer in use", logged: "former-name"},
		{name: "removed", prepare: func(_ *testing.T, m *machine, _ *Request) {
			a := m.person(user, userOID)
			a.Removed = time.Now()
			m.put(a)
		}, want: Denied, told: "has been removed", logged: "removed-account"},
		{name: "locked", prepare: func(_ *testing.T, m *machine, _ *Request) {
			a := m.person(user, userOID)
			a.Locked = time.Now()
			m.put(a)
		}, want: Denied, told: "has been locked on this machine", logged: "locked-account"},
		{name: "short name of a local group", lines: "short_names = true",
			prepare: func(_ *testing.T, m *machine, r *Request) {
				r.User, m.signin.LookupGroup = "daemon", groupFile{"daemon": "1"}.lookup
			}, want: Denied, told: "named like one of its groups", logged: "name-of-a-group"},
		{name: "no short name: a group of rights", lines: "short_names = true",
			prepare: func(_ *testing.T, _ *machine, r *Request) {
				r.User = "admin@contoso.example"
			}, want: Denied,
			told:   "its name here would be admin, which is the name of a group of rights",
			logged: `no-short-name"`},
		{name: "no short name: a number", lines: "short_names = true",
			prepare: func(_ *testing.T, _ *machine, r *Request) {
				r.User = "1234@contoso.example"
			}, want: Denied, told: "would be 1234, which is a number", logged: "no-short-name"},
		{name: "no short name: a local account", lines: "short_names = true",
			prepare: func(_ *testing.T, m *machine, _ *Request) {
				m.signin.Etc = fstest.MapFS{"passwd": {Data: []byte("user:x:1002:1002::/home/user:/bin/sh\n")}}
			}, want: Denied, told: "would be user, which is the name of a local account",
			logged: "no-short-name"},
		{name: "no short name: a local group", lines: "short_names = true",
			prepare: func(_ *testing.T, m *machine, _ *Request) {
				m.signin.Etc = fstest.MapFS{"group": {Data: []byte("user:x:1002:\n")}}
			}, want: Denied, told: "would be user, which is the name of a local account or group",
			logged: "no-short-name"},
		{name: "a group of rights without a domain", lines: "short_names = true",
			prepare: func(_ *testing.T, _ *machine, r *Request) { r.User = "admin" },
			want:    NotOurs},
		{name: "a short name with its domain", lines: "short_names = true",
			prepare: func(_ *testing.T, _ *machine, _ *Request) {},
			want:    Denied, told: "spelled user on this machine", logged: "misspelt-name"},
		{name: "name of a local group",
			prepare: func(_ *testing.T, m *machine, _ *Request) {
				m.signin.LookupGroup = groupFile{user: "4243"}.lookup
			},
			want: Denied, told: "named like one of its groups", logged: "name-of-a-group"},
		{name: "groups that cannot be read", prepare: func(_ *testing.T, m *machine, _ *Request) {
			m.signin.LookupGroup = func(string) (*osuser.Group, error) {
				return nil, os.ErrPermission
			}
		}, want: Broken, told: "nobody was signed in", logged: "permission denied"},
		{name: "first sign-in under an older configuration", lines: `accounts.home = "/srv/%u"`,
			prepare: func(_ *testing.T, m *machine, r *Request) {
				// The first value is by the present configuration, the second by another one.
				m.put(m.person(admin, stranger))
				m.rules.Home = m.home("%u")
				m.put()
				r.KnownToHost, r.UID = true, m.firstID(user)
			}, want: Denied, told: "changed while you were connecting", logged: "stale-lookup"},
		{name: "no room to wait in",
			prepare: func(_ *testing.T, m *machine, _ *Request) { m.write(m.signin.CacheDir, "") },
			want:    Broken, told: "nobody was signed in", logged: "waiting room"},
		{name: "machine full", lines: "sign_in.max_waiting = 1",
			prepare: func(t *testing.T, m *machine, _ *Request) {
				enterFrom(t, waitingRoom{Dir: m.signin.CacheDir + "/waiting/remote", Slots: 1},
					visitor{admin, m.request(user).RemoteHost})
			}, want: Unreachable, told: "waiting on this machine", logged: `limit="machine"`},
		{name: "account full", prepare: func(t *testing.T, m *machine, _ *Request) {
			for range perAddress {
				enterFrom(t, waitingRoom{Dir: m.signin.CacheDir + "/waiting/remote", Slots: 64},
					visitor{user, m.request(user).RemoteHost})
			}
		}, want: Unreachable, told: "waiting for this account", logged: `limit="account"`},
		{name: "address full", lines: "sign_in.max_waiting = 2",
			prepare: func(t *testing.T, m *machine, _ *Request) {
				enterFrom(t, waitingRoom{Dir: m.signin.CacheDir + "/waiting/remote", Slots: 2},
					visitor{admin, m.request(user).RemoteHost})
			}, want: Unreachable, told: "from your address", logged: `limit="address"`},
		{name: "no CA file", lines: "", prepare: func(_ *testing.T, m *machine, _ *Request) {
			os.Remove(filepath.Join(filepath.Dir(m.config), "ca.pem"))
		}, want: Misconfigured, told: "not configured correctly", logged: "CA file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t, test.lines)
			req := m.request(user)
			if test.prepare != nil {
				test.prepare(t, m, &req)
			}
			got, conv := m.signIn(req, user)
			ended(t, got, conv, test.want, test.told, test.logged)
			if n := m.requests(""); n != 0 || conv.prompts != nil {
				t.Errorf("%d requests, prompts %q", n, conv.prompts)
			}
		})
	}
}

// People and programs may try any name, in both phases. Each gets an answer, without a panic or a
// request.
func TestGarbageNames(t *testing.T) {
	m := newMachine(t, "")
	for _, name := range []string{
		"", " ", "@", "@contoso.example", "a@", "user@contoso.example ", " user@contoso.example",
		"user@contoso.example\n", "user@contoso.example\x00",
		"../../etc/passwd@contoso.example", "-rf@contoso.example",
		"user@contoso.example@contoso.example", "user@@contoso.example",
		"\x1b[2J@contoso.example", "uſer@contoso.example", "\u202euser@contoso.example",
		"user@contoso.exampl\xff", "us\xffer@contoso.example",
		strings.Repeat("a", 1<<20) + "@contoso.example", strings.Repeat("@", 1<<16),
		"user:0:0@contoso.example", "user@contoso.example.",
		"%s%n@contoso.example", "user\t@contoso.example", "1879048208", "0",
	} {
		req := m.request(name)
		req.Service, req.RemoteHost = name, name
		for _, phase := range []func(Request) (Verdict, *said){func(r Request) (Verdict, *said) {
			return m.signIn(r, user)
		}, m.again} {
			if got, conv := phase(req); got != NotOurs || conv.told != nil || conv.logged != nil {
				t.Errorf("%.40q: verdict %d, told %q, logged %q", name, got, conv.told, conv.logged)
			}
		}
	}
	if n := m.requests(""); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Of all names in the directory, only the account's own name, in any case, signs in to it. For the
// others the store is not even opened.
func TestTokenNamesMatchTheirAccountOnly(t *testing.T) {
	text, err := os.ReadFile("../../testdata/names/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	rules := account.Rules{
		Domains: []string{"contoso.com", "fabrikam.co.uk", "contoso.onmicrosoft.com"},
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		quoted, _, _ := strings.Cut(line, " expect: ")
		if name, err := strconv.Unquote(quoted); err == nil {
			names = append(names, name, name+"\x00", strings.ToUpper(name))
		}
	}
	matches := 0
	for _, short := range []bool{false, true} {
		rules.ShortNames = short
		for _, typed := range names {
			name, err := rules.Name(typed)
			if err != nil {
				continue
			}
			a := &attempt{rules: rules, name: name, store: account.Store{Dir: t.TempDir()}}
			for _, carried := range names {
				who, err := a.sameAccount(&token.Claims{
					TenantID: "t", ObjectID: "o", PreferredUsername: carried,
				})
				if (err == nil) != (upper(carried) == upper(name.UPN)) ||
					err == nil && (who.Name != name.Account || who.UPN != name.UPN) {
					t.Errorf("%q signs in to %q as %+v, %v", carried, typed, who, err)
				}
				if err == nil {
					matches++
				} else if got := refused(t, err); got.verdict != Refused ||
					safe(strings.ReplaceAll(got.person, "\n", " ")) != "" {
					t.Errorf("%q: %q", carried, got.person)
				}
			}
		}
	}
	if matches == 0 {
		t.Error("nobody's name matched")
	}
}

// upper maps ASCII letters only, independently of the product's code.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r &^ 0x20
		}
		return r
	}, s)
}
