// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"aadlogin/internal/azure"
	"aadlogin/internal/emulator"
)

// emulated is the emulator's Azure, which decides with code of its own. It is asked without a
// network.
type emulated struct {
	t               testing.TB
	server          emulator.Server
	entra           http.Handler
	machine, person string // access tokens
}

const (
	person     = "user@contoso.example"
	personOID  = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
	other      = "norole@contoso.example"
	emulatedVM = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/demo-vm"
)

func newEmulated(t testing.TB) *emulated {
	t.Helper()
	e := &emulated{t: t}
	if err := e.server.Start(); err != nil { // makes the verification URI
		t.Fatal(err)
	}
	t.Cleanup(func() { e.server.Close() })
	e.entra = e.server.Entra()
	metadata, _ := http.NewRequest("GET",
		"http://x/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/", nil)
	metadata.Header.Set("Metadata", "true")
	e.machine = e.member(e.server.Metadata(), metadata, "access_token")

	d := emulator.Contoso()
	scope := url.Values{"scope": {"https://management.azure.com/user_impersonation"}}
	device := e.member(e.entra, e.form(d, "devicecode", scope), "device_code")
	if err := e.server.SignIn(e.server.PendingCodes()[0].UserCode, person); err != nil {
		t.Fatal(err)
	}
	redemption := url.Values{"grant_type": {"device_code"}, "device_code": {device}}
	e.person = e.member(e.entra, e.form(d, "token", redemption), "access_token")
	return e
}

func (e *emulated) form(d *emulator.Directory, endpoint string, form url.Values) *http.Request {
	form.Set("client_id", d.ClientID)
	r, err := http.NewRequest("POST", "https://x/"+d.TenantID+"/oauth2/v2.0/"+endpoint,
		strings.NewReader(form.Encode()))
	if err != nil {
		e.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func (e *emulated) member(h http.Handler, r *http.Request, name string) string {
	e.t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	var answer map[string]any
	json.Unmarshal(rec.Body.Bytes(), &answer)
	text, ok := answer[name].(string)
	if !ok {
		e.t.Fatalf("no %s in %s", name, rec.Body)
	}
	return text
}

// RoundTrip makes it an HTTP transport.
func (e *emulated) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	e.entra.ServeHTTP(rec, r)
	return rec.Result(), nil
}

func (e *emulated) arm(token string) *azure.ARM {
	return &azure.ARM{
		Endpoint: "https://arm.example",
		HTTP:     &http.Client{Transport: e},
		Bearer:   func(context.Context) (string, error) { return token, nil },
	}
}

// sources are the sources that ask Azure, by their name in the configuration.
func (e *emulated) sources() map[string]Source {
	return map[string]Source{
		"check-access":     CheckAccess{e.arm(e.machine)},
		"role-assignments": RoleAssignments{e.arm(e.machine)},
		"permissions":      Permissions{e.arm(e.person)},
	}
}

// holds replaces the directory.
func (e *emulated) holds(d *emulator.Directory) {
	e.t.Helper()
	if err := e.server.Update(func(into *emulator.Directory) { *into = *d }); err != nil {
		e.t.Fatal(err)
	}
}

// decides asks one of the sources about the person.
func (e *emulated) decides(s Source, machine string) Decision {
	e.t.Helper()
	f, err := s.Ask(context.Background(), Question{mustResource(e.t, machine), personOID})
	if err != nil {
		e.t.Fatal(err)
	}
	return Decide(f)
}

// bare returns the directory with roles for the machine only.
func bare(machine string) *emulator.Directory {
	d := emulator.Contoso()
	d.Machine.ResourceID = machine
	d.Groups, d.Roles = nil, nil
	d.Assignments = []emulator.Assignment{{Principal: "demo-vm", Role: "Reader", Scope: machine}}
	return d
}

func word(d Decision) string {
	switch {
	case d.Admin:
		return "admin"
	case d.Login:
		return "login"
	default:
		return "no"
	}
}
