// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"os"
	"testing"
	"testing/fstest"

	"aadlogin/internal/account"
)

func TestIDs(t *testing.T) {
	here := stored(func(*account.Account) {})
	for what, c := range map[string]struct {
		lines, passwd, group string
		change               func(*account.Account)
		status               Status
		found                string
	}{
		"nobody else": {status: OK, found: "every account has a name and an id to itself"},
		"a user's uid": {passwd: "joe:x:1900000000:100:::\n", status: Failed,
			found: "user@contoso.example: id 1900000000 is that of the local account joe"},
		"a group's gid": {group: "devs:x:1900000000:\n", status: Failed,
			found: "user@contoso.example: id 1900000000 is that of the local group devs"},
		"removed": {group: "devs:x:1900000000:\n",
			change: func(a *account.Account) { a.Removed = here.Created }, status: Warning,
			found: "group devs (1900000000)"},
		"in the range": {passwd: "joe:x:1950000000:100:::\n", status: Warning,
			found: "accounts.id_range is not for accounts alone"},
		"at its beginning": {group: "devs:x:1879048193:\n", status: Failed,
			found: "(1879048193 is aad_admins), and 1879048193 is that of the local group devs"},
		"a range of before": {lines: "accounts.id_range = [1899999990, 2000000000]", status: Failed,
			found: "and 1900000000 is that of account user@contoso.example"},
		"in a home": {passwd: "zed:x:1002:1002::/home/zed@contoso.example:/bin/sh\n",
			status: Warning,
			found:  "refused: /home/zed@contoso.example of zed, for zed@contoso.example"},
		"of the removed": {lines: "accounts.id_range = [1899999990, 2000000000]",
			change: func(a *account.Account) { a.Removed = here.Created },
			status: Failed,
			found:  "and 1900000000 is that of the former account user@contoso.example"},
	} {
		t.Run(what, func(t *testing.T) {
			h := host(t, nil, "")
			if c.change == nil {
				c.change = func(*account.Account) {}
			}
			h.keep(t, stored(c.change))
			if c.lines != "" {
				h.Config.Accounts.IDRange = [2]uint32{1899999990, 2000000000}
			}
			h.Files = fstest.MapFS{"etc/passwd": {Data: []byte(c.passwd)},
				"etc/group": {Data: []byte(c.group)}}
			findings := h.ids(t.Context())
			expect(t, findings, c.status, c.found)
			for _, r := range findings {
				if r.Status != OK && r.Fix == "" {
					t.Errorf("no way out of %+v", r)
				}
			}
		})
	}
}

// The reason why a first sign-in would be refused is reported before the person tries.
func TestFirstSignInRefused(t *testing.T) {
	home := t.TempDir()
	if err := os.Chown(home, 1002, 1002); err != nil {
		t.Skip("only root gives files away")
	}
	for what, c := range map[string]struct {
		change        func(*account.Account)
		passwd, found string
	}{
		"id": {func(a *account.Account) {}, "joe:x:1900000000:100:::\n",
			"id 1900000000 is that of the local account joe"},
		"home": {func(a *account.Account) { a.Home = home }, "zed:x:1002:1002:::\n",
			"home " + home + " belongs to zed (uid 1002)"},
		"fine": {func(a *account.Account) { a.Home = "/nowhere" },
			"zed:x:1002:1002:::\n", "was imported"},
	} {
		h := host(t, nil, "")
		h.keep(t, stored(func(a *account.Account) { a.TenantID, a.ObjectID = "", ""; c.change(a) }))
		h.Files = fstest.MapFS{"etc/passwd": {Data: []byte(c.passwd)}}
		h.Account = "user@contoso.example"
		_, findings := h.person()
		expect(t, findings, map[bool]Status{true: OK, false: Failed}[what == "fine"], c.found)
	}
	h := host(t, nil, "")
	h.keep(t)
	h.Account = "user@contoso.example"
	fresh := account.RulesFrom(h.Config).First(account.Name{Account: h.Account, UPN: h.Account})
	h.Files = fstest.MapFS{"etc/group": {Data: fmt.Appendf(nil, "devs:x:%d:\n", fresh.UID)}}
	_, findings := h.person()
	expect(t, findings, Failed, "is that of the local group devs")
}

// A store is lost, which its homes show. Then another one is begun.
func TestLostStore(t *testing.T) {
	dir := t.TempDir()
	h := host(t, nil, fmt.Sprintf("accounts.home = %q", dir+"/%u"))
	expect(t, h.store(t.Context()), Failed,
		"there is no store yet, so the name service knows nobody")
	home := dir + "/kim@contoso.example"
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(home, 1002, 1002); err != nil {
		t.Skip("only root gives files away")
	}
	findings := h.store(t.Context())
	expect(t, findings, Failed,
		"there is no store, and there was one, for kim@contoso.example has a home ("+home+")")
	if last := findings[len(findings)-1]; last.Command != apply || last.Fix == "" {
		t.Errorf("%+v", last)
	}
	h.keep(t)
	findings = h.ids(t.Context())
	expect(t, findings, Warning,
		"kim@contoso.example is not in the store, and had id 1002 by its home "+home)
	want := `(echo 'kim@contoso.example:*:1002:1002::` + home +
		`:/bin/bash') | aadctl account import -`
	if findings[0].Command != want {
		t.Errorf("%q, not %q", findings[0].Command, want)
	}
}
