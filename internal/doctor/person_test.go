// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// host returns a machine with a store, a configuration with these lines, and the emulator around
// it, if there is one.
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
			h.keep(t, stored(test.change)) // the same account, renamed
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
