// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

const grantOfAnHour = "authorization.grant_lifetime = \"1h\"\n"

// granted returns a machine on which user was let in a while ago, as an administrator or not.
func granted(t *testing.T, lines string, admin bool) *machine {
	m := newMachine(t, grantOfAnHour+lines)
	a := m.person(user, userOID)
	a.Admin = admin
	m.put(a)
	m.record(a, time.Now().Add(-10*time.Minute), admin)
	return m
}

// A state that any local user can bring about is no outage, even for an account without
// permissions.
func TestNoOutage(t *testing.T) {
	const out = "cannot be reached"
	for name, test := range map[string]struct {
		lines   string
		fault   emulator.Fault
		want    Verdict
		told    string
		logged  string
		through string // Resource Manager
	}{
		"metadata asked too often": {fault: emulator.Fault{Endpoint: "instance", Status: 429},
			want: Unreachable, told: out},
		"identity asked too often": {fault: emulator.Fault{Endpoint: "identity", Status: 429},
			want: Unreachable, told: out},
		"authorization asked too often": {fault: emulator.Fault{Endpoint: "checkaccess",
			Status: 429}, want: Unreachable, told: out},
		// The kernel refuses to connect to a link-local address without its link.
		"the kernel says no": {through: "https://[fe80::1]", want: Broken,
			told: "This machine cannot make such a connection, so it cannot reach the " +
				"authorization service of Azure.",
			logged: `reason="cannot-connect"`},
		"so for a proxy": {lines: "endpoints.proxy = \"http://[fe80::1]:3128\"", want: Broken,
			told:   "This machine cannot make such a connection",
			logged: `reason="cannot-connect"`},
		"an outage": {fault: emulator.Fault{Endpoint: "checkaccess", Reset: true},
			want: Success},
		"a broken one": {fault: emulator.Fault{Endpoint: "identity", Status: 500}, want: Success},
	} {
		t.Run(name, func(t *testing.T) {
			m := granted(t, impatient, false)
			if test.fault.Endpoint != "" {
				m.entra.Fail(test.fault)
			}
			if test.through != "" {
				m.edit("endpoints.resource_manager = \""+m.entra.EntraURL(),
					"endpoints.resource_manager = \""+test.through)
			}
			if test.lines != "" {
				m.edit("client_id", test.lines+"\nclient_id")
			}
			m.record(m.stored(user), time.Now().Add(-10*time.Minute), false)
			got, conv := m.again(m.request(user))
			if got != test.want || !strings.Contains(strings.Join(conv.told, ""), test.told) ||
				!strings.Contains(strings.Join(conv.logged, ""), test.logged) {
				t.Errorf("verdict %d, told %q, logged %q", got, conv.told, conv.logged)
			}
		})
	}
}

// A former administrator is let in as a user only where the service reads groups later.
func TestAdministratorByLastGrant(t *testing.T) {
	for service, want := range map[string]Verdict{
		"sshd": Success, "login": Success, "cron": Success, "crond": Success, "atd": Success,
		"su-l": Success, "systemd-user": Success,
		"sudo": Unreachable, "sudo-i": Unreachable, "polkit-1": Unreachable,
		"cockpit": Unreachable, "": Unreachable,
	} {
		t.Run(service, func(t *testing.T) {
			m := granted(t, "", true)
			m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
			req := m.request(user)
			req.Service = service
			got, conv := m.again(req)
			logged := strings.Join(conv.logged, "\n")
			if got != want || m.stored(user).Admin != (want != Success) {
				t.Fatalf("verdict %d, stored %+v, logged %s", got, m.stored(user), logged)
			}
			says := `grant_problem="does not cover administrators"`
			if want == Success {
				says = `decision="user"`
			}
			if !strings.Contains(logged, says) {
				t.Errorf("logged %s", logged)
			}
			// The next answer of Azure decides again.
			m.entra.Heal()
			m.assign(user, "Virtual Machine Administrator Login")
			if got, conv := m.again(m.request(user)); got != Success || !m.stored(user).Admin {
				t.Errorf("verdict %d, stored %+v, logged %q", got, m.stored(user), conv.logged)
			}
		})
	}
}

func TestAdministratorByLastGrantWhereCovered(t *testing.T) {
	for _, service := range []string{"sshd", "sudo"} {
		t.Run(service, func(t *testing.T) {
			m := granted(t, "authorization.grant_covers_administrators = true\n", true)
			m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
			req := m.request(user)
			req.Service = service
			got, conv := m.again(req)
			ended(t, got, conv, Success, "", `decision="administrator"`)
			if !m.stored(user).Admin {
				t.Error("no administrator any more")
			}
		})
	}
}

// The user manager that systemd starts beside a login takes nothing from the login. A user manager
// that starts by itself allows nothing.
func TestUserManagerBesideLogin(t *testing.T) {
	for _, test := range []struct {
		age   time.Duration
		holds bool
		admin bool
		want  Verdict
	}{
		{age: 0, admin: true, want: Success},
		{age: 2 * time.Minute, admin: false, want: Success},
		{age: 0, holds: true, admin: true, want: Unreachable},
	} {
		t.Run(fmt.Sprintf("%+v", test), func(t *testing.T) {
			m := granted(t, "", true)
			m.record(m.stored(user), time.Now().Add(-test.age), true)
			m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
			req := m.request(user)
			req.Service, req.HoldsAdmins = "systemd-user", test.holds
			if got, conv := m.again(req); got != test.want || m.stored(user).Admin != test.admin {
				t.Errorf("verdict %d, stored %+v, logged %q", got, m.stored(user), conv.logged)
			}
		})
	}
}

// If the store cannot be written, a person who would otherwise keep the administrator's groups is
// refused.
func TestAdministratorByLastGrantIsWrittenDown(t *testing.T) {
	m := granted(t, "", true)
	m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
	lock := filepath.Join(m.store.Dir, "accounts.lock")
	if err := errors.Join(os.Remove(lock), os.Mkdir(lock, 0o700)); err != nil {
		t.Fatal(err)
	}
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Broken, "could not be stored", "store-error")
}

// configDigest returns the digest of the present configuration.
func (m *machine) configDigest() string {
	m.t.Helper()
	cfg, err := config.Load(m.config)
	if err != nil {
		m.t.Fatal(err)
	}
	return ConfigDigest(cfg)
}

// A grant holds only under the configuration that it was given under.
func TestGrantUnderAnotherConfiguration(t *testing.T) {
	t.Parallel()
	elsewhere := `authorization.resource_id = "/subscriptions/` + stranger +
		`/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm"`
	for name, test := range map[string]struct {
		old, new string
		want     Verdict
	}{
		"the same":    {"", "", Success},
		"application": {emulator.Contoso().ClientID, stranger, Unreachable},
		"domains": {`["contoso.example"]`, `["contoso.example", "fabrikam.example"]`,
			Unreachable},
		"cloud": {"client_id", "cloud = \"public\"\nclient_id", Unreachable},
		"proxy": {"client_id", "endpoints.proxy = \"http://127.0.0.1:9\"\nclient_id",
			Unreachable},
		"machine": {"client_id", elsewhere + "\nclient_id", Unreachable},
		"identity": {"client_id", `authorization.managed_identity = "` + stranger +
			"\"\nclient_id", Unreachable},
		"source": {"client_id", "authorization.source = \"role-assignments\"\nclient_id",
			Unreachable},
		"app roles": {"client_id", "authorization.source = \"app-roles\"\nclient_id", Denied},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "authorization.grant_lifetime = \"1h\"\n"+impatient)
			m.browser(m.request(user))
			m.edit(test.old, test.new)
			m.entra.Fail(emulator.Fault{Endpoint: "arm", Reset: true})
			if got, conv := m.again(m.request(user)); got != test.want {
				t.Errorf("verdict %d, logged %q", got, conv.logged)
			}
		})
	}
}

// A damaged grant does not count.
func TestDamagedGrant(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "{}", "garbage", `{"tenant":1}`, `{"object":"` + userOID + `"}`,
	} {
		t.Run(text, func(t *testing.T) {
			m := newMachine(t, "authorization.grant_lifetime = \"1h\"")
			a := m.person(user, userOID)
			m.put(a)
			m.record(a, time.Now(), false)
			uid := strconv.FormatUint(uint64(a.UID), 10)
			m.write(filepath.Join(m.store.Dir, "grants", uid), text)
			m.entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
			got, conv := m.again(m.request(user))
			ended(t, got, conv, Unreachable, "cannot be reached", "unreachable")
		})
	}
}

// A wrong configuration is no outage: no grant stands in for it.
func TestLastGrantNeedsConfiguration(t *testing.T) {
	m := newMachine(t, "authorization.grant_lifetime = \"1h\"")
	a := m.person(user, userOID)
	m.put(a)
	m.record(a, time.Now(), true)
	m.write(filepath.Join(filepath.Dir(m.config), "ca.pem"), "no certificate")
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Misconfigured, "not configured correctly", "CA file")
}
