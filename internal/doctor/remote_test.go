// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/emulator"
)

// Every source is asked as in a sign-in. The finding says what the source cannot tell.
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
				// getent asks this machine, which has no such account.
				if r.Status == Failed && test.status != Failed && r.Check != "entry" {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// If the clock is years off, no certificate is valid, so no answer tells the time.
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
