// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/emulator"
)

// sudo uses the groups that a session has had since it began. While a session has aad_admins, a
// former administrator is refused every time, not only by the check that first noticed.
func TestSessionOfAFormerAdministrator(t *testing.T) {
	m := newMachine(t, "")
	a := m.person(user, userOID)
	a.Admin = true
	m.put(a)
	req := m.request(user)
	req.Service, req.RemoteHost, req.HoldsAdmins = "sudo", "", true
	for range 3 {
		got, conv := m.signIn(req, user)
		ended(t, got, conv, Denied, "no longer an administrator", "demoted")
		got, conv = m.again(req)
		ended(t, got, conv, Denied, "no longer an administrator", "demoted")
	}
	req.HoldsAdmins = false // a new session
	if got, conv := m.signIn(req, user); got != Success {
		t.Errorf("verdict %d, told %q", got, conv.told)
	}
	req.Service, req.HoldsAdmins = "sshd", true // makes new sessions
	if got, conv := m.signIn(req, user); got != Success {
		t.Errorf("sshd: verdict %d, told %q", got, conv.told)
	}
}

// A store that cannot be written keeps nobody an administrator.
func TestDenialTakesBackWhatItCan(t *testing.T) {
	m := newMachine(t, "")
	a := m.person(admin, adminOID)
	a.Admin = true
	m.put(a)
	m.record(a, time.Now(), true)
	windows := account.Store{RuntimeDir: m.signin.RuntimeDir}.WindowsPath(a.UID)
	if err := os.MkdirAll(filepath.Join(windows, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	m.assign(admin, "")
	got, conv := m.again(m.request(admin))
	if got != Denied || !strings.Contains(strings.Join(conv.logged, "\n"), "not-revoked") {
		t.Errorf("verdict %d, logged %q", got, conv.logged)
	}
	if m.stored(admin).Admin {
		t.Error("still an administrator")
	}
	if _, err := m.grant(a.UID); err == nil {
		t.Error("the grant is still there")
	}
}

func (m *machine) change(how func(*emulator.Directory)) {
	m.t.Helper()
	if err := m.entra.Update(how); err != nil {
		m.t.Fatal(err)
	}
}

// assign gives a person one role, or none.
func (m *machine) assign(name, role string) {
	m.t.Helper()
	m.change(func(d *emulator.Directory) {
		d.Assignments = slices.DeleteFunc(d.Assignments,
			func(a emulator.Assignment) bool {
				return a.Principal == name || a.Principal == "Operators"
			})
		if role != "" {
			d.Assignments = append(d.Assignments, emulator.Assignment{
				Principal: name, Role: role, Scope: d.Machine.ResourceID,
			})
		}
	})
}

// sudo has read the groups before it asks us, so a former administrator must not get past it. sshd
// and login read the groups afterwards.
func TestDemotion(t *testing.T) {
	t.Parallel()
	for service, want := range map[string]Verdict{
		"sudo":    Denied,
		"su":      Denied,
		"cockpit": Denied,
		"":        Denied,
		"sshd":    Success,
		"login":   Success,
	} {
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

// A denial withdraws what an earlier authorization allowed.
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

// Only administrators may use these services.
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
