// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/emulator"
)

// The administrator changes the configuration while a person is in the browser. The attempt does
// not bring the former rules back, and answers under the former configuration let nobody in.
func TestReconfiguredMeanwhile(t *testing.T) {
	const told = "The configuration of this machine has changed. Connect again."
	for name, test := range map[string]struct {
		lines  string
		change func(m *machine) error
		told   string // "": the attempt succeeds
	}{
		"applied": {"", func(m *machine) error {
			m.reconfigure(`accounts.id_range = [3000000, 3999999]`)
			return m.store.Update(func(e *account.Edit) error { return e.SetRules(m.rules) })
		}, told},
		"written": {"",
			func(m *machine) error { m.reconfigure(`accounts.shell = "/bin/sh"`); return nil },
			told},
		"another source": {"",
			func(m *machine) error {
				m.reconfigure(`authorization.source = "permissions"`)
				return nil
			}, told},
		"a group": {"",
			func(m *machine) error {
				m.reconfigure(`sign_in.admin_services = ["cockpit"]`)
				return nil
			}, told},
		"the same again": {"", func(m *machine) error { m.reconfigure("# a comment"); return nil },
			""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, test.lines)
			before := m.rules
			err := m.store.Update(func(e *account.Edit) error {
				return e.SetRules(before)
			})
			if err != nil {
				t.Fatal(err)
			}
			got, conv := m.run(m.request(user), func(code string) error {
				return errors.Join(test.change(m), m.entra.SignIn(code, user))
			})
			if test.told == "" {
				ended(t, got, conv, Success, "", "signed-in")
				return
			}
			ended(t, got, conv, Denied, test.told, `denied reason="reconfigured"`)
			m.unknown(user)
			snapshot, err := m.store.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer snapshot.Close()
			want := before
			if name == "applied" {
				want = m.rules
			}
			if !snapshot.Rules().Equal(want) {
				t.Errorf("the store has the rules %+v", snapshot.Rules())
			}
		})
	}
}

// A configuration that cannot be read any more is not another one. The log says what is wrong with
// it.
func TestConfigurationGoneMeanwhile(t *testing.T) {
	m := newMachine(t, "")
	got, conv := m.run(m.request(user), func(code string) error {
		return errors.Join(os.Remove(m.config), m.entra.SignIn(code, user))
	})
	if got == Success || len(conv.logged) == 0 ||
		strings.Contains(conv.logged[len(conv.logged)-1], "reconfigured") {
		t.Errorf("verdict %d, logged %q", got, conv.logged)
	}
}

// The last grant stands in for the time that the present configuration allows.
func TestReconfiguredInAnOutage(t *testing.T) {
	m := newMachine(t, `authorization.grant_lifetime = "1h"`)
	a := m.person(user, userOID)
	m.put(a)
	m.record(a, time.Now(), false)
	m.once("identity", func() { m.reconfigure(`authorization.grant_lifetime = "0s"`) })
	m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Denied, "The configuration of this machine has changed.",
		`denied reason="reconfigured"`)
}
