// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// list is a page of any of the lists.
type list struct {
	Value []struct {
		ID         string
		Properties map[string]any
		block
	}
	NextLink string
}

// read returns a page of a list, or all of its pages as one.
func (w *world) read(bearer, operation, filter string) list {
	w.t.Helper()
	q := url.Values{"api-version": {"2022-04-01"}}
	if filter != "" {
		q.Set("$filter", filter)
	}
	return w.follow(bearer, w.EntraURL()+vm+"/providers/Microsoft.Authorization/"+operation+"?"+
		q.Encode())
}

func (w *world) follow(bearer, link string) list {
	w.t.Helper()
	a := w.do("GET", link, "", "Authorization", "Bearer "+bearer)
	var l list
	if err := json.Unmarshal([]byte(a.body), &l); err != nil || a.status != 200 {
		w.t.Fatalf("%d %s", a.status, a.body)
	}
	return l
}

func assigned(oid string) string { return "atScope() and assignedTo('" + oid + "')" }

func TestRoleAssignments(t *testing.T) {
	w := newWorld(t)
	bearer := w.identityBearer()
	rg := vm[:strings.Index(vm, "/providers")]
	for oid, want := range map[string]string{ // principal, its kind, role and scope
		adminOID: "cccccccc-2222-3333-4444-dddddddddddd Group 1c0163c0-47e6-4577-8991-ea5c82e286e4 " + vm,
		// This is the nested group.
		"FFFFFFFF-5555-6666-7777-aaaaaaaaaaaa": "cccccccc-2222-3333-4444-dddddddddddd Group " +
			"1c0163c0-47e6-4577-8991-ea5c82e286e4 " + vm,
		userOID:       userOID + " User fb879df8-f326-4884-b1cf-06f3ad86be52 " + rg,
		foreignTenant: "",
	} {
		l := w.read(bearer, "roleAssignments", assigned(oid))
		got := ""
		for _, e := range l.Value {
			p := e.Properties
			role := p["roleDefinitionId"].(string)
			if !strings.HasPrefix(e.ID, p["scope"].(string)+
				"/providers/Microsoft.Authorization/roleAssignments/") || p["condition"] != nil {
				t.Errorf("%+v", e)
			}
			got += p["principalId"].(string) + " " + p["principalType"].(string) + " " +
				role[strings.LastIndexByte(role, '/')+1:] + " " + p["scope"].(string)
		}
		if got != want || l.NextLink != "" {
			t.Errorf("%s: %q, want %q", oid, got, want)
		}
	}
}

// The pages together hold the whole list in its order. The last one has no link.
func TestPages(t *testing.T) {
	w := newWorld(t)
	bearer := w.identityBearer()
	w.change(func(d *Directory) {
		d.PageSize = 2
		for _, scope := range []string{"/", vm, vm + "2", vm + "/"} { // the third is outside of the scope
			d.Assignments = append(d.Assignments, Assignment{userOID, "Reader", scope, "c"})
		}
	})
	first := w.read(bearer, "roleAssignments", assigned(userOID))
	if len(first.Value) != 2 || !strings.HasPrefix(first.NextLink, w.EntraURL()+vm) {
		t.Fatalf("%+v", first)
	}
	second := w.follow(bearer, first.NextLink)
	if len(second.Value) != 2 || second.NextLink != "" || second.Value[1].Properties["scope"] != vm+
		"/" || second.Value[1].Properties["condition"] != "c" {
		t.Errorf("%+v", second)
	}
}

func TestDenyAssignments(t *testing.T) {
	w := newWorld(t)
	bearer := w.identityBearer()
	w.change(func(d *Directory) {
		d.Denies = []Deny{
			{Name: "all", Principals: []string{everyone, "Operators"},
				Exclude: []string{"demo-vm", foreignTenant}, DataActions: []string{"*"}, Scope: "/",
				DoNotApplyToChildScopes: true},
			{Name: "elsewhere", Principals: []string{everyone}, DataActions: []string{"*"},
				Scope: vm + "2"},
		}
	})
	l := w.read(bearer, "denyAssignments", "atScope()")
	if len(l.Value) != 1 {
		t.Fatalf("%+v", l)
	}
	for _, when := range []string{"createdOn", "updatedOn", "createdBy", "updatedBy"} {
		delete(l.Value[0].Properties, when)
	}
	got, err := json.Marshal(l.Value[0].Properties)
	want := `{"condition":null,"conditionVersion":null,"denyAssignmentName":"all","description":"all","doNotApplyToChildScopes":true,` +
		`"excludePrincipals":[{"id":"bbbbbbbb-1111-2222-3333-cccccccccccc","type":"ServicePrincipal"},{"id":"` + foreignTenant + `","type":"Unknown"}],` +
		`"isSystemProtected":true,"permissions":[{"actions":[],"condition":null,"conditionVersion":null,"dataActions":["*"],"notActions":[],"notDataActions":[]}],` +
		`"principals":[{"id":"00000000-0000-0000-0000-000000000000","type":"SystemDefined"},{"id":"cccccccc-2222-3333-4444-dddddddddddd","type":"Group"}],"scope":"/"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRoleDefinition(t *testing.T) {
	w := newWorld(t)
	bearer := w.identityBearer()
	get := func(name string) answer {
		return w.do("GET", w.EntraURL()+vm+"/providers/Microsoft.Authorization/roleDefinitions/"+
			name+"?api-version=2022-04-01", "", "Authorization", "Bearer "+bearer)
	}
	for name, want := range map[string]string{
		"FB879DF8-f326-4884-b1cf-06f3ad86be52": `"roleName":"Virtual Machine User Login","type":"BuiltInRole"`,
		"22223333-cccc-4444-dddd-5555eeee6666": `"permissions":[{"actions":["Microsoft.Authorization/*/read"],"notActions":[],"dataActions":[],"notDataActions":[],"condition":null,"conditionVersion":null}],"roleName":"Access Reader","type":"CustomRole"`,
		foreignTenant:                          `"code":"RoleDefinitionDoesNotExist"`,
		"Owner":                                `"code":"RoleDefinitionDoesNotExist"`,
	} {
		a := get(name)
		if !strings.Contains(a.body, want) || (a.status == 404) != strings.Contains(want, "code") {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.body, want)
		}
	}
}

// The permissions are those of the caller. A caller without any gets an empty list.
func TestPermissions(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Denies = []Deny{{Name: "not shown", Principals: []string{userOID},
			DataActions: []string{"*"}, Scope: "/"}}
	})
	for name, want := range map[string]string{
		"admin@contoso.example": "loginAsAdmin",
		"user@contoso.example":  "Microsoft.Compute/virtualMachines/login/action",
		nobody:                  "",
	} {
		code, device := w.start("openid https://management.azure.com/user_impersonation")
		if err := w.SignIn(code, name); err != nil {
			t.Fatal(err)
		}
		l := w.read(w.poll(device).object(t)["access_token"].(string), "permissions", "")
		if len(l.Value) == 0 != (want == "") ||
			want != "" && !strings.Contains(strings.Join(l.Value[0].DataActions, " "), want) {
			t.Errorf("%s: %+v", name, l)
		}
	}
	if l := w.read(w.identityBearer(), "permissions", ""); len(l.Value) != 1 ||
		l.Value[0].Actions[0] != "Microsoft.Authorization/*/read" {
		t.Errorf("the machine: %+v", l)
	}
}

func TestListsRefused(t *testing.T) {
	w := newWorld(t)
	bearer := w.identityBearer()
	code, device := w.start("openid https://management.azure.com/user_impersonation")
	w.SignIn(code, "user@contoso.example")
	person := w.poll(device).object(t)["access_token"].(string)
	const version = "?api-version=2022-04-01"
	for _, test := range []struct {
		name, method, path, token string
		status                    int
		code                      string
	}{
		{"no filter", "GET", "roleAssignments" + version, bearer, 400, "UnsupportedQuery"},
		{"another filter", "GET", "roleAssignments" + version + "&$filter=atScope()",
			bearer, 400, "UnsupportedQuery"},
		{"no filter of denies", "GET", "denyAssignments" + version,
			bearer, 400, "UnsupportedQuery"},
		{"a person's token", "GET", "roleAssignments" + version, person,
			403, "AuthorizationFailed"},
		{"a person's token for denies", "GET", "denyAssignments" + version, person,
			403, "AuthorizationFailed"},
		{"a person's token for roles", "GET", "roleDefinitions/" + foreignTenant + version, person,
			403, "AuthorizationFailed"},
		{"no token for permissions", "GET", "permissions" + version, "", 401,
			"InvalidAuthenticationToken"},
		{"POST", "POST", "permissions" + version, person, 405, "HttpMethodNotSupported"},
		{"another version", "GET", "permissions?api-version=2018-09-01-preview", person, 400,
			"NoRegisteredProviderFound"},
		{"odd page", "GET", "permissions" + version + "&$skiptoken=-1",
			person, 400, "InvalidSkipToken"},
		{"page beyond", "GET", "permissions" + version + "&$skiptoken=9",
			person, 400, "InvalidSkipToken"},
		{"no role", "GET", "roleDefinitions" + version, bearer, 404, "InvalidResourceType"},
		{"one of a list", "GET", "permissions/x" + version, person, 404, "InvalidResourceType"},
	} {
		a := w.do(test.method, w.EntraURL()+vm+"/providers/Microsoft.Authorization/"+test.path, "",
			"Authorization", "Bearer "+test.token)
		e, _ := a.object(t)["error"].(map[string]any)
		if a.status != test.status || e["code"] != test.code {
			t.Errorf("%s: %d %s, want %d %s", test.name, a.status, a.body, test.status, test.code)
		}
	}
}

// Paths are split as ARM does it: the last provider counts, and case does not matter.
func TestSplit(t *testing.T) {
	for path, want := range map[string]string{
		vm + "/providers/Microsoft.Authorization/checkAccess":                                     vm + " checkaccess  true",
		vm + "/PROVIDERS/MICROSOFT.AUTHORIZATION/PERMISSIONS":                                     vm + " permissions  true",
		"/\u212a/providers/microsoft.authorization/roleDefinitions/x":                             "/\u212a roledefinitions x true",
		vm + "/providers/Microsoft.Authorization/x/providers/Microsoft.Authorization/permissions": vm + "/providers/Microsoft.Authorization/x permissions  true",
		vm + "/providers/Microsoft.Authorization/elevateAccess":                                   vm + " elevateaccess  false",
		vm: "   false",
	} {
		resource, op, name, ok := split(path)
		got := resource + " " + op + " " + name +
			map[bool]string{true: " true", false: " false"}[ok]
		if got != want {
			t.Errorf("split(%q) = %q, want %q", path, got, want)
		}
	}
}
