// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const askURL = vm + "/providers/Microsoft.Authorization/checkAccess?api-version=2018-09-01-preview"

// ask returns the body that asks about both actions.
func ask(oid string, retrieve bool) string {
	return fmt.Sprintf(`{"Subject":{"Attributes":{"ObjectId":%q,"Groups":[],"xms-pasrp-retrievegroupmemberships":%v}},
		"Actions":[{"Id":%q,"IsDataAction":true,"Attributes":{}},{"Id":%q,"IsDataAction":true,"Attributes":{}}],
		"Resource":{"Id":%q,"Attributes":{}},"Environment":null}`, oid,
		retrieve, login, asAdmin, vm)
}

const (
	adminOID = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb"
	userOID  = "dddddddd-3333-4444-5555-eeeeeeeeeeee"
)

func TestCheckAccess(t *testing.T) {
	w := newWorld(t)
	bearer := "Bearer " + w.identityBearer()
	tests := []struct {
		name, body string
		want       string
	}{
		{"administrator", ask(adminOID, true), "Allowed Allowed"},
		{"administrator, groups not asked for", ask(adminOID, false), "NotAllowed NotAllowed"},
		{"groups given", strings.Replace(ask(adminOID, false), `"Groups":[]`,
			`"Groups":["cccccccc-2222-3333-4444-dddddddddddd"]`, 1), "Allowed Allowed"},
		{"user", ask(userOID, true), "Allowed NotAllowed"},
		{"stranger", ask(foreignTenant, true), "NotAllowed NotAllowed"},
	}
	for _, test := range tests {
		a := w.do("POST", w.EntraURL()+askURL, test.body, "Authorization", bearer,
			"Content-Type", "application/json")
		var got []accessDecision
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || len(got) != 2 {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
			continue
		}
		if s := got[0].Decision + " " + got[1].Decision; s != test.want {
			t.Errorf("%s: %s, want %s", test.name, s, test.want)
		}
		if got[0].ActionID != login || !got[0].Data || got[0].TTL != 300000 {
			t.Errorf("%s: %s", test.name, a.body)
		}
		if r := got[0].Assignment; (r != nil) != (got[0].Decision == "Allowed") ||
			r != nil && len(r.RoleDefinitionID) != 32 {
			t.Errorf("%s: role assignment %+v", test.name, r)
		}
		if !isGUID(a.header.Get("x-ms-correlation-request-id")) {
			t.Errorf("%s: no correlation id", test.name)
		}
	}
}

// A deleted user loses only the name. The role assignment stays, for a principal that nobody knows.
func TestDeletedUser(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Assignments = append(d.Assignments, Assignment{Principal: foreignTenant,
			Role: userRole, Scope: vm})
	})
	bearer := w.identityBearer()
	a := w.do("POST", w.EntraURL()+askURL, ask(foreignTenant, true),
		"Authorization", "Bearer "+bearer)
	if strings.Count(a.body, `"accessDecision":"NotAllowed"`) != 2 {
		t.Errorf("access: %d %s", a.status, a.body)
	}
	l := w.read(bearer, "roleAssignments", assigned(foreignTenant))
	if len(l.Value) != 1 || l.Value[0].Properties["principalId"] != foreignTenant {
		t.Errorf("assignments: %+v", l)
	}
}

func TestCheckAccessDenied(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Denies = []Deny{{Name: "freeze", Principals: []string{everyone},
			DataActions: []string{"*"}, Scope: "/"}}
	})
	a := w.do("POST", w.EntraURL()+askURL, ask(adminOID, true), "Authorization",
		"Bearer "+w.identityBearer())
	if !strings.Contains(a.body, `"accessDecision":"Denied"`) ||
		!strings.Contains(a.body, `"name":"freeze"`) {
		t.Error(a.body)
	}
}

func TestCheckAccessRefused(t *testing.T) {
	w := newWorld(t)
	bearer := "Bearer " + w.identityBearer()
	other := w.do("GET", w.MetadataURL()+
		"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net",
		"", "Metadata", "true")
	user, device := w.start("openid https://management.azure.com/user_impersonation")
	w.SignIn(user, "norole@contoso.example")
	person := w.poll(device).object(t)["access_token"].(string)
	tests := []struct {
		name, method, path, body, auth string
		status                         int
		code                           string
	}{
		{"no token", "POST", askURL, ask(userOID, true), "", 401, "AuthenticationFailed"},
		{"made up token", "POST", askURL, ask(userOID, true), "Bearer x", 401,
			"InvalidAuthenticationToken"},
		{"basic", "POST", askURL, ask(userOID, true), "Basic" + bearer[6:], 401,
			"InvalidAuthenticationToken"},
		{"token for another resource", "POST", askURL, ask(userOID, true),
			"Bearer " + other.object(t)["access_token"].(string), 401,
			"InvalidAuthenticationTokenAudience"},
		{"person who may not read access", "POST", askURL, ask(userOID, true), "Bearer " + person,
			403, "AuthorizationFailed"},
		{"another machine", "POST", strings.Replace(askURL, "demo-vm", "demo-vm2", 1),
			ask(userOID, true), bearer, 403, "AuthorizationFailed"},
		{"no version", "POST", strings.Split(askURL, "?")[0], ask(userOID, true), bearer, 400,
			"MissingApiVersionParameter"},
		{"another version", "POST", strings.Replace(askURL, "2018", "2019", 1), ask(userOID, true),
			bearer, 400, "NoRegisteredProviderFound"},
		{"GET", "GET", askURL, "", bearer, 405, "HttpMethodNotSupported"},
		{"no JSON", "POST", askURL, "who?", bearer, 400, "InvalidRequestContent"},
		{"too long", "POST", askURL, `{"x":"` + strings.Repeat("x", maxBody) + `"}`, bearer,
			400, "InvalidRequestContent"},
		{"no subject", "POST", askURL, `{}`, bearer, 400, "InvalidRequestContent"},
		{"another resource in the body", "POST", askURL, strings.Replace(ask(userOID, true),
			"demo-vm", "other", 1), bearer, 400, "InvalidRequestContent"},
		{"another question", "POST", vm + "/providers/Microsoft.Authorization/elevate", "", bearer,
			404, "InvalidResourceType"},
	}
	for _, test := range tests {
		header := []string{"Content-Type", "application/json"}
		if test.auth != "" {
			header = append(header, "Authorization", test.auth)
		}
		a := w.do(test.method, w.EntraURL()+test.path, test.body, header...)
		e, _ := a.object(t)["error"].(map[string]any)
		if a.status != test.status || e["code"] != test.code || e["message"] == "" {
			t.Errorf("%s: %d %s, want %d %s", test.name, a.status, a.body, test.status, test.code)
		}
		if (a.header.Get("WWW-Authenticate") != "") != (test.status == 401) {
			t.Errorf("%s: WWW-Authenticate %q", test.name, a.header.Get("WWW-Authenticate"))
		}
	}
	w.pass(24 * time.Hour)
	a := w.do("POST", w.EntraURL()+askURL, ask(userOID, true), "Authorization", bearer)
	if a.status != 401 {
		t.Errorf("old token: %d %s", a.status, a.body)
	}
}

// TestIdentityLosesRight removes the machine's permission to ask.
func TestIdentityLosesRight(t *testing.T) {
	w := newWorld(t)
	bearer := "Bearer " + w.identityBearer()
	w.change(func(d *Directory) { d.Assignments = d.Assignments[1:] })
	a := w.do("POST", w.EntraURL()+askURL, ask(userOID, true), "Authorization", bearer)
	if a.status != 403 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func FuzzCheckAccess(f *testing.F) {
	f.Add(ask(adminOID, true))
	f.Add(`{"Actions":[{"Id":"*"}]}`)
	f.Add(`[`)
	s := &Server{Key: testKey()}
	token := s.issueBearer(secret(), bearer{"bbbbbbbb-1111-2222-3333-cccccccccccc",
		"https://management.azure.com/", time.Now().Add(time.Hour), ""}, time.Now())
	entra := s.Entra()
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "https://x"+askURL, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		entra.ServeHTTP(rec, r)
		if rec.Code != http.StatusOK && rec.Code != http.StatusBadRequest {
			t.Errorf("status %d: %s", rec.Code, rec.Body)
		}
		if !json.Valid(rec.Body.Bytes()) {
			t.Errorf("not JSON: %s", rec.Body)
		}
	})
}
