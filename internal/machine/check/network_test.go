// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// The check finds out whether nscd runs, and its command mends the next start.
func TestCheckNSCD(t *testing.T) {
	n := rig.StartNSCD(t, nil)
	out, _ := n.Run("aadctl", "check", "--offline", "--json")
	r := find(t, rig.WrongOf(t, out), "nscd", "answers for passwd and group")
	rig.Edit(t, "/etc/nscd.conf", func(text string) []byte { return []byte(text) })
	rig.Must(t, "sh", "-ec", r.Command)
	n = rig.StartNSCD(t, nil)
	out, status := n.Run("aadctl", "check", "--offline", "--json")
	if status != 0 || len(rig.WrongOf(t, out)) > 0 {
		t.Errorf("exit status %d, %s", status, out)
	}
}

// The check tells answers of the network apart: whose fault it is, and what to do.
func TestCheckNetwork(t *testing.T) {
	t.Cleanup(rig.Entra.Heal)
	if wrong, status := rig.Diagnose(t); status != 0 || len(wrong) > 0 {
		t.Fatalf("exit status %d of a machine that works: %+v", status, wrong)
	}
	for _, test := range []struct {
		name   string
		fault  emulator.Fault
		check  string
		found  string
		fix    string
		status int
	}{
		{"no public client", emulator.Fault{Endpoint: "token", Status: 400,
			Error: "invalid_client", AADSTS: 7000218},
			"registration", "invalid_client", "Allow public client flows", 3},
		{"no application", emulator.Fault{Endpoint: "devicecode", Status: 400,
			Error: "unauthorized_client", AADSTS: 700016},
			"registration", "unauthorized_client", "client_id names no application", 3},
		{"no tenant", emulator.Fault{Endpoint: "openid", Status: 400,
			Error: "invalid_tenant", AADSTS: 90002},
			"openid", "invalid_tenant", "tenant_id names no tenant", 3},
		{"no answer", emulator.Fault{Endpoint: "openid", Reset: true}, "openid", "unreachable",
			"root must reach https://", 4},
		{"no keys", emulator.Fault{Endpoint: "keys", Status: 500}, "keys", "signing keys",
			"root must reach https://", 4},
		{"no metadata", emulator.Fault{Endpoint: "instance", Reset: true}, "machine",
			"where in Azure this machine is",
			"app-roles", 4},
		{"no identity", emulator.Fault{Endpoint: "identity", Status: 400, Error: "invalid_request"},
			"identity", "managed identity", "az vm identity assign", 1},
		{"no right", emulator.Fault{Endpoint: "checkaccess", Status: 403,
			Error: "AuthorizationFailed"},
			"authorization", "Azure refuses this machine", `Microsoft.Authorization/\*/read`, 1},
		{"the clock", emulator.Fault{Endpoint: "openid", Status: 200, Body: openIDDocument(t),
			Header: map[string]string{"Date": time.Now().Add(24 * time.Hour).UTC().
				Format(http.TimeFormat)}},
			"clock", `clock is 2[34]h\d+m\d+s behind`, "NTP", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			rig.Entra.Heal()
			rig.Entra.Fail(test.fault)
			wrong, status := rig.Diagnose(t)
			r := find(t, wrong, test.check, test.found)
			if status != test.status || !regexp.MustCompile(test.fix).MatchString(r.Fix) ||
				len(wrong) != 1 {
				t.Errorf("exit status %d, want %d; %+v", status, test.status, wrong)
			}
		})
	}
}

// openIDDocument returns the emulator's document about its tenant.
func openIDDocument(t *testing.T) string {
	t.Helper()
	url := rig.Entra.EntraURL() + "/" + emulator.Contoso().TenantID +
		"/v2.0/.well-known/openid-configuration"
	resp, err := rig.NewBrowser(t, rig.Entra.CA()).Client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(text)
}
