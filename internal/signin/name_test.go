// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	osuser "os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
	"aadlogin/internal/token"
)

const stranger = "99999999-9999-9999-9999-999999999999"

// imported is an account that an administrator brought along: nobody has signed in to it, and its
// id is no name's first.
func (m *machine) imported(name string) account.Account {
	a := m.person(name, "")
	a.TenantID, a.UID = "", 54321
	return a
}

// What is known to be in vain asks nobody for anything: no code is wasted and no server learns of
// it.
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
				// by the present configuration, and then by another one
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

// The names that people and programs may try, in both phases: an answer, no panic, no request.
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

// Of all the names that somebody may have in the directory, only the account's own, in any case,
// signs in to it. The store is not even opened for the others, nor whatever else they could be
// mistaken for.
func TestTokenNamesMatchTheirAccountOnly(t *testing.T) {
	text, err := os.ReadFile("../../testdata/names/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	rules := account.Rules{Domains: []string{"contoso.com", "fabrikam.co.uk",
		"contoso.onmicrosoft.com"}}
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
				who, err := a.sameAccount(&token.Claims{TenantID: "t", ObjectID: "o",
					PreferredUsername: carried})
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

// upper is for ASCII alone, and not the product's.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r &^ 0x20
		}
		return r
	}, s)
}

// The uid that the host took before it asked: safe if no other was ever answered for the name, or
// if nothing has changed.
func TestCurrentHost(t *testing.T) {
	dir := t.TempDir()
	rules := account.Rules{TenantID: "t", Domains: []string{"contoso.example"},
		Low: 100000, High: 200000}
	store := account.Store{Dir: dir}
	first := account.ID(rules.TenantID, user, 0, rules.Low, rules.High)
	if err := os.WriteFile(filepath.Join(dir, "accounts.cdb"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	inode, modified := store.Stamp()
	if inode == 0 || modified == 0 {
		t.Fatal("no stamp")
	}
	for _, test := range []struct {
		name     string
		known    bool
		uid      uint32
		inode    uint64
		modified int64
		dir      string
		moved    bool
	}{
		{"unknown to the host", false, 0, 0, 0, dir, false},
		{"first id, nothing changed", true, first, inode, modified, dir, false},
		{"first id, all changed", true, first, 0, 0, dir, false},
		{"another id, nothing changed", true, first + 1, inode, modified, dir, false},
		{"another id, replaced", true, first + 1, inode + 1, modified, dir, true},
		{"another id, changed", true, first + 1, inode, modified + 1, dir, true},
		{"another id, made since", true, first + 1, 0, 0, dir, true},
		{"another id, gone since", true, first + 1, inode, modified, dir + "/none", true},
		{"another id, never a store", true, first + 1, 0, 0, dir + "/none", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := &attempt{rules: rules, store: account.Store{Dir: test.dir},
				name: account.Name{Account: user, UPN: user}, cfg: new(config.Config)}
			a.cfg.Accounts.PreAuthServices = []string{"sshd"}
			a.Request = Request{Program: "sshd", KnownToHost: test.known, UID: test.uid,
				StoreInode: test.inode, StoreModified: test.modified}
			err := a.currentHost()
			if (err != nil) != test.moved {
				t.Fatalf("%v, want moved: %v", err, test.moved)
			}
			if err != nil && refused(t, err).verdict != Denied {
				t.Errorf("%v", err)
			}
			a.cfg.Accounts.PreAuthServices = nil // sudo asks the name service when it needs an id
			if err := a.currentHost(); err != nil {
				t.Errorf("a host that takes no ids first: %v", err)
			}
		})
	}
}

func TestHostProgram(t *testing.T) {
	if got, want := hostProgram(), filepath.Base(os.Args[0]); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// An imported account becomes that of who signs in first, with the id that the host has for it.
func TestImportedAccount(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.imported(user))
	req := m.request(user)
	req.KnownToHost, req.UID = true, 54321
	req.StoreInode, req.StoreModified = m.store.Stamp()
	got, conv := m.signIn(req, user)
	ended(t, got, conv, Success, "", `uid="54321"`)
	if a := m.stored(user); a.UID != 54321 || a.ObjectID != userOID {
		t.Errorf("stored %+v", a)
	}
}

// The host took the id that the name would have had; meanwhile the account came to be, with
// another.
func TestMovedMeanwhile(t *testing.T) {
	m := newMachine(t, "")
	m.put(m.imported(user))
	req := m.request(user)
	req.KnownToHost, req.UID = true, m.firstID(user)
	got, conv := m.signIn(req, user)
	ended(t, got, conv, Denied, "changed while you were connecting", "stale-lookup")
	if a := m.stored(user); a.ObjectID != "" {
		t.Errorf("bound: %+v", a)
	}
	if _, err := m.grant(54321); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
}

// The name is that of an object which is not the one in the browser: a deleted person's name given
// to somebody new.
func TestNameOfAnother(t *testing.T) {
	m := newMachine(t, "")
	owner := m.person(user, stranger)
	m.put(owner)
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Denied, "belongs to somebody else", "name-of-another")
	if n := m.requests("checkaccess"); n != 0 {
		t.Errorf("Azure was asked %d times", n)
	}
	if a := m.stored(user); a.ObjectID != stranger {
		t.Errorf("stored %+v", a)
	}
	if _, err := m.grant(owner.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
}

// The same object under a new name: renamed in place, keeping uid and home, and asked to connect
// again.
func TestRenamed(t *testing.T) {
	const renamed = "renamed@contoso.example"
	m := newMachine(t, "")
	before := m.person(user, userOID)
	m.put(before)
	m.rename(renamed)
	got, conv := m.signIn(m.request(renamed), renamed)
	ended(t, got, conv, Denied, "renamed to "+renamed, "renamed")
	if a := m.stored(renamed); a.UID != before.UID ||
		a.Home != before.Home || a.ObjectID != userOID {
		t.Errorf("stored %+v", a)
	}
	m.unknown(user)
	if _, err := m.grant(before.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
	got, conv = m.signIn(m.request(renamed), renamed)
	ended(t, got, conv, Success, "", "signed-in")
}

// A rename does not put off what the check has found.
func TestRenamedFormerAdministrator(t *testing.T) {
	const renamed = "renamed@contoso.example"
	m := newMachine(t, "")
	before := m.person(user, userOID)
	before.Admin, before.Groups = true, []uint32{2000}
	m.put(before)
	m.record(before, m.now(), true)
	m.rename(renamed)
	got, conv := m.signIn(m.request(renamed), renamed)
	ended(t, got, conv, Denied, "renamed to "+renamed, "renamed")
	if a := m.stored(renamed); a.Admin || a.Groups != nil {
		t.Errorf("stored %+v", a)
	}
	if _, err := m.grant(before.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
}

// rename gives the user another name in the directory.
func (m *machine) rename(to string) {
	m.t.Helper()
	m.change(func(d *emulator.Directory) {
		i := slices.IndexFunc(d.Users, func(u emulator.User) bool { return u.Name == user })
		d.Users[i].Name = to
		for i := range d.Assignments {
			if d.Assignments[i].Principal == user {
				d.Assignments[i].Principal = to
			}
		}
	})
}

func (m *machine) change(how func(*emulator.Directory)) {
	m.t.Helper()
	if err := m.entra.Update(how); err != nil {
		m.t.Fatal(err)
	}
}

// assign leaves a person one role, or none.
func (m *machine) assign(name, role string) {
	m.t.Helper()
	m.change(func(d *emulator.Directory) {
		d.Assignments = slices.DeleteFunc(d.Assignments,
			func(a emulator.Assignment) bool {
				return a.Principal == name || a.Principal == "Operators"
			})
		if role != "" {
			d.Assignments = append(d.Assignments, emulator.Assignment{Principal: name, Role: role,
				Scope: d.Machine.ResourceID})
		}
	})
}

// Sudo has read the groups before it asked us: who has just lost the administrator's role must not
// get past it. Sshd and login read them afterwards.
func TestDemotion(t *testing.T) {
	t.Parallel()
	for service, want := range map[string]Verdict{"sudo": Denied, "su": Denied, "cockpit": Denied,
		"": Denied, "sshd": Success, "login": Success} {
		t.Run(service, func(t *testing.T) {
			m := newMachine(t, "")
			a := m.person(admin, adminOID)
			a.Admin = true
			m.put(a)
			m.assign(admin, "Virtual Machine User Login")
			req := m.request(admin)
			req.Service = service
			got, conv := m.signIn(req, admin)
			if want == Success {
				ended(t, got, conv, Success, "", `decision="user"`)
			} else {
				ended(t, got, conv, Denied, "no longer an administrator", "demoted")
			}
			g, err := m.grant(a.UID)
			if m.stored(admin).Admin || err != nil || g.Admin {
				t.Errorf("still an administrator: grant %+v, %v", g, err)
			}
			if got, conv = m.signIn(req, admin); got != Success { // now the groups are right
				t.Errorf("verdict %d, told %q", got, conv.told)
			}
		})
	}
}

// A denial takes back what an earlier authorization gave.
func TestDenialDropsGrant(t *testing.T) {
	m := newMachine(t, "")
	if got, conv := m.signIn(m.request(admin), admin); got != Success {
		t.Fatalf("told %q", conv.told)
	}
	a := m.stored(admin)
	m.assign(admin, "")
	got, conv := m.signIn(m.request(admin), admin)
	ended(t, got, conv, Denied, "Object ID: "+adminOID, "denied")
	if _, err := m.grant(a.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
	if after := m.stored(admin); after.Admin || after.UID != a.UID || after.ObjectID != adminOID {
		t.Errorf("stored %+v", after)
	}
}

// Services that only administrators may use.
func TestAdminServices(t *testing.T) {
	m := newMachine(t, `sign_in.admin_services = ["cockpit"]`)
	for _, test := range []struct {
		service, name, oid string
		want               Verdict
	}{
		{"cockpit", user, userOID, Denied},
		{"sshd", user, userOID, Success},
		{"cockpit", admin, adminOID, Success},
	} {
		req := m.request(test.name)
		req.Service = test.service
		got, conv := m.signIn(req, test.name)
		if test.want == Success {
			ended(t, got, conv, Success, "", "signed-in")
			continue
		}
		ended(t, got, conv, Denied,
			"'Microsoft.Compute/virtualMachines/loginAsAdmin/action', for example 'Virtual "+
				"Machine Administrator Login'", "denied")
		m.unknown(test.name)
	}
}

func TestProgram(t *testing.T) {
	for path, want := range map[string]string{
		"/usr/bin/sudo": "sudo", "/usr/lib/cargo/bin/sudo": "sudo-rs",
		"/usr/bin/sudo-rs": "sudo-rs", "/usr/lib/cargo/bin/su": "su",
		"/usr/lib/openssh/sshd-session (deleted)": "sshd-session", "/usr/sbin/sshd": "sshd", "": "",
	} {
		if got := program(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
