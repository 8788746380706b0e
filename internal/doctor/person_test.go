// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
	"aadlogin/internal/signin"
)

const (
	oid    = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
	tenant = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
)

// host is a machine with a store, a configuration with these lines, and the emulator, if there is
// one, around it.
func host(t *testing.T, entra *emulator.Server, lines string) *Host {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("tenant_id = %q\nclient_id = "+
		"\"00001111-aaaa-2222-bbbb-3333cccc4444\"\ndomains = [\"contoso.example\"]\n"+
		"accounts.directory = %q\n%s\n", tenant, filepath.Join(dir, "store"), lines)
	if entra != nil {
		ca := filepath.Join(dir, "ca.pem")
		if err := os.WriteFile(ca, entra.CA(), 0o600); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("endpoints.authority = %q\nendpoints.resource_manager = %[1]q\n"+
			"endpoints.metadata = %q\nendpoints.ca_file = %q\n",
			entra.EntraURL(), entra.MetadataURL(), ca)
	}
	c, err := config.Parse("config.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return &Host{Config: c,
		System: System{Files: fstest.MapFS{},
			Run: func(context.Context, string, ...string) (string, error) {
				return "", errors.New("exit status 2")
			}}}
}

// keep stores accounts and returns the store.
func (h *Host) keep(t *testing.T, accounts ...account.Account) account.Store {
	t.Helper()
	store := account.Store{Dir: h.Config.Accounts.Directory, Etc: fstest.MapFS{}}
	err := store.Update(func(e *account.Edit) error {
		err := e.SetRules(account.RulesFrom(h.Config))
		for _, a := range accounts {
			err = errors.Join(err, e.Put(a))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func stored(change func(*account.Account)) account.Account {
	a := account.Account{
		Name: "user@contoso.example", UPN: "user@contoso.example", UID: 1900000000,
		Gecos: "user@contoso.example",
		Home:  "/home/user", Shell: "/bin/bash", TenantID: tenant, ObjectID: oid,
		Created: time.Unix(1700000000, 0).UTC(),
	}
	change(&a)
	return a
}

func TestPerson(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	for name, test := range map[string]struct {
		typed  string
		change func(*account.Account)
		status Status
		found  string
		nobody bool
	}{
		"stored": {"user@contoso.example", func(*account.Account) {}, OK,
			"uid 1900000000 and belongs to object " + oid, false},
		"new": {"new@contoso.example", func(*account.Account) {}, OK,
			"has never signed in here; sshd is told uid ", false},
		"imported": {"user@contoso.example", func(a *account.Account) {
			a.TenantID, a.ObjectID = "", ""
		},
			OK, "was imported", false},
		"removed": {"user@contoso.example", func(a *account.Account) { a.Removed = now }, Failed,
			"has been removed", true},
		"locked": {"user@contoso.example", func(a *account.Account) { a.Locked = now }, Failed,
			"has been locked", false},
		"former": {"old@contoso.example", func(*account.Account) {}, Failed,
			"a former name of user@contoso.example", true},
		"foreign": {"user@fabrikam.example", func(*account.Account) {}, Failed,
			"not a name of the configured domains", true},
		"misspelt": {"User@contoso.example", func(*account.Account) {}, Failed,
			"is spelled user@contoso.example here", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := host(t, nil, "")
			before := stored(test.change)
			before.Name, before.UPN = "old@contoso.example", "old@contoso.example"
			h.keep(t, before)
			h.keep(t, stored(test.change)) // the same one, renamed
			h.Account = test.typed
			acct, findings := h.person()
			if expect(t, findings, test.status, test.found); (acct.Name == "") != test.nobody {
				t.Errorf("%+v", acct)
			}
			if test.nobody || name == "locked" {
				expect(t, h.access(t.Context(), nil, acct), Failed, "not let in")
			}
		})
	}
}

func TestEntry(t *testing.T) {
	here := stored(func(*account.Account) {})
	first := stored(func(a *account.Account) { a.Created = time.Time{} })
	const line = "user@contoso.example:*:%d:%[1]d:user:/home/user:/bin/bash\n"
	for _, test := range []struct {
		acct   account.Account
		said   string
		status Status
		found  string
	}{
		{here, fmt.Sprintf(line, 1900000000), OK, "getent says: user@contoso.example:*:1900000000"},
		{here, fmt.Sprintf(line, 1000), Failed, "says uid 1000: another source"},
		{here, "", Failed, "does not find"},
		{first, "", OK, "as it should be before a first sign-in"},
		{first, fmt.Sprintf(line, 1000), Failed, "another source"},
		{account.Account{}, "", Skipped, "no account"},
	} {
		h := host(t, nil, "")
		h.Run = func(context.Context, string, ...string) (string, error) {
			if test.said == "" {
				return "", errors.New("exit status 2")
			}
			return test.said, nil
		}
		expect(t, h.entry(t.Context(), test.acct), test.status, test.found)
	}
}

func TestGrant(t *testing.T) {
	now := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	h := host(t, nil, "authorization.grant_lifetime = \"24h\"")
	acct := stored(func(*account.Account) {})
	store := h.keep(t, acct)
	expect(t, h.grant(acct, now), Skipped, "there is no grant")
	g := account.Grant{TenantID: tenant, ObjectID: oid, Admin: true,
		Source: "check-access", Service: "sshd",
		ConfigDigest: signin.ConfigDigest(h.Config), Moment: account.Moment{Time: now}}
	if err := store.RecordGrant(acct.UID, g); err != nil {
		t.Fatal(err)
	}
	expect(t, h.grant(acct, now), OK,
		"as an administrator 2026-02-03T04:05:06Z by check-access, for sshd; "+
			"it stands in for an authorization until 2026-02-04T")
	expect(t, h.grant(acct, now.Add(-time.Second)), Warning, "in the future")
	h.Config.Authorization.Source = "app-roles"
	expect(t, h.grant(acct, now), OK, "under another configuration: it stands in for nothing")
	expect(t, h.grant(stored(func(a *account.Account) { a.ObjectID = "" }), now),
		Skipped, "nobody has signed in")
}

// A login shell that is no program keeps people out; sshd does not look at it where it locks them
// into a directory.
func TestShell(t *testing.T) {
	for name, test := range map[string]struct {
		lines   string
		shell   string // of the stored account
		change  func(*account.Account)
		chroot  bool
		status  Status
		found   string
		command string
	}{
		"all there": {shell: "/bin/bash", status: OK, found: "login shells are there"},
		"configured": {lines: `accounts.shell = "/usr/bin/zsh"`, shell: "/bin/bash", status: Failed,
			found: "accounts.shell is /usr/bin/zsh, which does not exist", command: "sed "},
		"stored": {shell: "/usr/bin/fish", status: Failed,
			found: "the login shell of user@contoso.example is /usr/bin/fish, which does " +
				"not exist",
			command: `for a in user@contoso.example; do aadctl account set "$a" --shell /bin/bash; done`},
		"no program": {shell: "/bin/plain", status: Failed, found: "is not executable",
			command: "chmod a+x /bin/plain"},
		"a directory": {shell: "/bin", status: Failed, found: "is not a regular file",
			command: "for a in "},
		"locked": {shell: "/none",
			change: func(a *account.Account) { a.Locked = time.Now() },
			status: OK, found: "are there"},
		"removed": {shell: "/none",
			change: func(a *account.Account) { a.Removed = time.Now() },
			status: OK, found: "are there"},
		"locked into a directory": {lines: `accounts.shell = "/none"`, shell: "/none", chroot: true,
			status: OK, found: "are there"},
	} {
		t.Run(name, func(t *testing.T) {
			h := host(t, nil, test.lines)
			h.keep(t, stored(func(a *account.Account) {
				if a.Shell = test.shell; test.change != nil {
					test.change(a)
				}
			}))
			root := fstest.MapFS{"bin/bash": {Mode: 0o755}, "bin/plain": {Mode: 0o644}}
			if h.Files = root; test.chroot {
				chroot := []byte("ChrootDirectory /srv\n")
				root["etc/ssh/sshd_config"] = &fstest.MapFile{Data: chroot}
				h.Run = func(context.Context, string, ...string) (string, error) {
					return "chrootdirectory /srv\n", nil
				}
			}
			findings := h.shell(t.Context())
			if expect(t, findings, test.status, test.found); len(findings) != 1 ||
				!strings.HasPrefix(findings[0].Command, test.command) {
				t.Errorf("%+v", findings)
			}
		})
	}
}

// Every source is asked as a sign-in would ask it, and what it cannot tell is said.
func TestRemote(t *testing.T) {
	for name, test := range map[string]struct {
		lines  string
		change func(*emulator.Directory)
		status Status
		found  string
	}{
		"check-access": {"", nil, OK, `would be let in: role "`},
		"role-assignments": {"authorization.source = \"role-assignments\"", nil,
			OK, `would be let in: role "Virtual Machine User Login" at /subscriptions/`},
		"permissions": {"authorization.source = \"permissions\"", nil, Skipped,
			"without a sign-in nobody can tell"},
		"app roles": {"authorization.source = \"app-roles\"\ncloud = \"public\"", nil,
			Skipped, "without one nobody can tell"},
		"denied": {"", func(d *emulator.Directory) {
			d.Denies = []emulator.Deny{{Name: "freeze", Scope: d.Machine.ResourceID,
				DataActions: []string{"*"},
				Principals:  []string{"user@contoso.example"}}}
		}, Failed, "a deny assignment applies"},
		"another tenant": {"",
			func(d *emulator.Directory) { d.TenantID = "99999999-0000-cccc-1111-dddd2222eeee" },
			Failed, "this machine is of tenant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := emulator.Contoso()
			if test.change != nil {
				test.change(d)
			}
			entra := &emulator.Server{}
			entra.SetDirectory(d)
			if err := entra.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { entra.Close() })
			h := host(t, entra, test.lines)
			h.keep(t, stored(func(*account.Account) {}))
			h.Account = "user@contoso.example"
			var all []Finding
			tell := func(more []Finding) { all = append(all, more...) }
			h.Person(t.Context(), h.Remote(t.Context(), tell), tell)
			expect(t, all, test.status, test.found)
			for _, r := range all {
				// getent asks this machine
				if r.Status == Failed && test.status != Failed && r.Check != "entry" {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// A clock that is years off: no certificate is valid by it, so nobody can say what time it is.
func TestClockFarOff(t *testing.T) {
	for what, years := range map[string]int{"behind": 20, "ahead": -20} {
		entra := &emulator.Server{Now: func() time.Time { return time.Now().AddDate(years, 0, 0) }}
		if err := entra.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { entra.Close() })
		h := host(t, entra, "")
		var all []Finding
		h.Remote(t.Context(), func(more []Finding) { all = append(all, more...) })
		expect(t, all, Failed, "or the clock of this machine is wrong")
		if all[0].Command != setClock || !strings.Contains(all[0].Fix,
			"see the clock (timedatectl)") {
			t.Errorf("%s: %+v", what, all[0])
		}
	}
}
