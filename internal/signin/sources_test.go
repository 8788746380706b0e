// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

var everySource = []string{config.CheckAccess, config.RoleAssignments,
	config.Permissions, config.AppRoles}

func sourceLine(source string) string { return "authorization.source = \"" + source + "\"\n" }

// Each source lets the same people in with the same rights, and says by what.
func TestEverySource(t *testing.T) {
	const vm = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo"
	by := map[string]string{
		config.CheckAccess: `role="fb879df8f3264884b1cf06f3ad86be52" scope="` + vm +
			`" assignment="`,
		config.RoleAssignments: `role="Virtual Machine User Login" scope="` + vm +
			`" assignment="` + vm + `/providers/Microsoft.Authorization/roleAssignments/`,
		config.Permissions: `source="permissions" decision="user" decision_reason="Microsoft.Compute/virtualMachines/loginAsAdmin/action: no role grants it"`,
		config.AppRoles:    `source="app-roles" decision="user" role="login" decision_reason="loginAsAdmin: the app role is not assigned"`,
	}
	for _, source := range everySource {
		t.Run(source, func(t *testing.T) {
			m := newMachine(t, sourceLine(source))
			got, conv := m.signIn(m.request(admin), admin)
			ended(t, got, conv, Success, "", `source="`+source+`" decision="administrator"`)
			got, conv = m.signIn(m.request(user), user)
			ended(t, got, conv, Success, "", by[source])
			g, err := m.grant(m.stored(user).UID)
			if err != nil || g.Source != source || g.Admin || !m.stored(admin).Admin {
				t.Errorf("grant %+v, %v", g, err)
			}
			got, conv = m.signIn(m.request(norole), norole)
			ended(t, got, conv, Denied, "Access denied:  to sign-in you be assigned", `denied `)
			m.unknown(norole)
		})
	}
}

// Besides the preview's sentence, a denial says which role is missing, where and for whom, and how
// to assign it.
func TestDeniedByAppRole(t *testing.T) {
	m := newMachine(t, sourceLine(config.AppRoles)+`sign_in.admin_services = ["cockpit"]`)
	req := m.request(user)
	req.Service = "cockpit"
	got, conv := m.signIn(req, user)
	ended(t, got, conv, Denied,
		"Access denied:  to sign-in you be assigned the app role 'loginAsAdmin' of this "+
			"machine's application\nApplication: "+
			emulator.Contoso().ClientID+"\nObject ID: "+userOID+"\nCorrelation ID: ",
		`app_role="loginAsAdmin" fix="in the Entra admin center, at Enterprise applications`)
}

// Each source asks only in the name that it is for.
func TestSourceAsks(t *testing.T) {
	for source, want := range map[string]string{
		config.CheckAccess: "instance info identity checkaccess",
		config.RoleAssignments: "instance info identity roleassignments roledefinitions " +
			"denyassignments",
		config.Permissions: "instance info permissions",
		config.AppRoles:    "",
	} {
		t.Run(source, func(t *testing.T) {
			m := newMachine(t, sourceLine(source))
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, Success, "", "signed-in")
			endpoints := "instance info identity checkaccess " +
				"roleassignments roledefinitions denyassignments permissions unknown"
			for endpoint := range strings.FieldsSeq(endpoints) {
				asked := m.requests(endpoint) > 0
				if asked != strings.Contains(" "+want+" ", " "+endpoint+" ") {
					t.Errorf("%s asked: %v", endpoint, asked)
				}
			}
			scope := "openid profile"
			if source == config.Permissions {
				scope += " https://management.azure.com/user_impersonation"
			}
			for _, r := range m.entra.Requests() {
				if r.Endpoint == "devicecode" && r.Scope != scope {
					t.Errorf("asked for %q, want %q", r.Scope, scope)
				}
			}
		})
	}
}

// App roles work on any machine, without any service of Azure.
func TestAppRolesWithoutAzure(t *testing.T) {
	m := newMachine(t, sourceLine(config.AppRoles))
	m.entra.Fail(emulator.Fault{Endpoint: "metadata", Reset: true},
		emulator.Fault{Endpoint: "arm", Reset: true})
	got, conv := m.signIn(m.request(admin), admin)
	ended(t, got, conv, Success, "", "signed-in")
}

// "Refused" and "could not ask" are told apart for each source.
func TestSourceCouldNotAsk(t *testing.T) {
	const cannotReach, notAllowed = "authorization service of Azure cannot be reached", "does not let it ask"
	for _, test := range []struct {
		source string
		fault  emulator.Fault
		told   string
		logged string
	}{
		{config.RoleAssignments, emulator.Fault{Endpoint: "roleassignments", Status: 503},
			cannotReach, "unreachable"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "roleassignments", Status: 403,
			Error: "AuthorizationFailed"}, notAllowed, "Microsoft.Authorization/*/read"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "roleassignments", Body: "{}"},
			cannotReach, "answer without a list"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "roleassignments",
			Body: `{"value":[],"nextLink":"https://evil.example/"}`},
			cannotReach, "leads elsewhere"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "roledefinitions", Status: 403,
			Error: "AuthorizationFailed"}, notAllowed, "rbac: role definition"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "roledefinitions", Reset: true},
			cannotReach, "unreachable"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "denyassignments", Status: 403,
			Error: "AuthorizationFailed"}, notAllowed, "rbac: deny assignments"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "denyassignments", Body: "garbage"},
			cannotReach, "unreachable"},
		{config.RoleAssignments, emulator.Fault{Endpoint: "identity", Status: 400,
			Error: "invalid_request"}, notAllowed, "az vm identity assign"},
		{config.Permissions, emulator.Fault{Endpoint: "permissions", Status: 500},
			cannotReach, "unreachable"},
		{config.Permissions, emulator.Fault{Endpoint: "permissions", Status: 401,
			Error: "InvalidAuthenticationToken"}, notAllowed,
			"user_impersonation of Azure Service Management"},
		{config.Permissions, emulator.Fault{Endpoint: "permissions", Body: `{"value":null}`},
			cannotReach, "answer without a list"},
		{config.Permissions, emulator.Fault{Endpoint: "permissions", HalfBody: true},
			cannotReach, "unreachable"},
	} {
		t.Run(test.source+" "+test.fault.Endpoint+" "+test.fault.Error+test.fault.Body,
			func(t *testing.T) {
				m := newMachine(t, sourceLine(test.source))
				m.entra.Fail(test.fault)
				got, conv := m.signIn(m.request(user), user)
				ended(t, got, conv, Unreachable, test.told, test.logged)
				m.unknown(user)
			})
	}
}

// After a role assignment is taken away, the person is refused, and the log has the command that
// assigns it again.
func TestDeniedByRoleAssignments(t *testing.T) {
	m := newMachine(t, sourceLine(config.RoleAssignments))
	err := m.entra.Update(func(d *emulator.Directory) {
		d.Denies = []emulator.Deny{{
			Name: "freeze", Principals: []string{"everyone"}, Exclude: []string{"demo-vm"},
			DataActions: []string{"*"}, Scope: "/",
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Denied, "Access denied:",
		`the deny assignment \"freeze\" at \"/\" applies to everyone`)
	// no role outweighs it
	ended(t, got, conv, Denied, "Scope: ",
		`fix="a deny assignment wins over every role: ask whoever made it"`)
}

// The account phase of the source that reads lists works like that of the source that asks for a
// decision.
func TestAgainByRoleAssignments(t *testing.T) {
	m := newMachine(t, sourceLine(config.RoleAssignments))
	a := m.person(user, userOID)
	m.put(a)
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Success, "", `authorized `)
	m.assign(user, "")
	got, conv = m.again(m.request(user))
	ended(t, got, conv, Denied, "Access denied:", "denied")
	if _, err := m.grant(a.UID); !errors.Is(err, account.ErrNoGrant) {
		t.Errorf("grant: %v", err)
	}
}

// If only the person can ask, the account phase uses the last grant from a browser sign-in and
// nothing else. It asks no server, and does not extend the grant.
func TestAgainBySourcesThatCannotAsk(t *testing.T) {
	const hour = "authorization.grant_lifetime = \"1h\"\n"
	for _, source := range []string{config.Permissions, config.AppRoles} {
		for _, test := range []struct {
			name   string
			lines  string
			change func(*account.Grant, *Request)
			want   Verdict
		}{
			{"within its lifetime", hour, func(*account.Grant, *Request) {}, Success},
			{"no lifetime", "", func(*account.Grant, *Request) {}, Denied},
			{"no lifetime, this instant", "",
				func(g *account.Grant, _ *Request) {
					g.Time = time.Unix(1_900_000_000, 0)
				}, Denied},
			{"past its lifetime", hour,
				func(g *account.Grant, _ *Request) { g.Time = g.Time.Add(-2 * time.Hour) }, Denied},
			{"under another configuration", hour,
				func(g *account.Grant, _ *Request) { g.ConfigDigest = stranger }, Denied},
			{"before there were digests", hour,
				func(g *account.Grant, _ *Request) { g.ConfigDigest = "" }, Denied},
			{"to another object", hour,
				func(g *account.Grant, _ *Request) { g.ObjectID = adminOID }, Denied},
			{"for less", hour,
				func(_ *account.Grant, r *Request) {
					r.Service, r.HoldsAdmins = "sudo", true
				}, Denied},
		} {
			t.Run(source+" "+test.name, func(t *testing.T) {
				m := newMachine(t, sourceLine(source)+test.lines)
				now := time.Unix(1_900_000_000, 0)
				m.signin.Now = func() time.Time { return now }
				a := m.person(user, userOID)
				m.put(a)
				req := m.request(user)
				grant := account.Grant{
					TenantID: a.TenantID, ObjectID: a.ObjectID, ConfigDigest: m.configDigest(),
					Moment: account.Moment{Time: now.Add(-time.Minute)},
				}
				test.change(&grant, &req)
				if err := m.store.RecordGrant(a.UID, grant); err != nil {
					t.Fatal(err)
				}
				got, conv := m.again(req)
				if test.want == Success {
					ended(t, got, conv, Success, "", `reason="last-grant"`)
				} else {
					ended(t, got, conv, Denied, "can only be asked with a browser",
						`reason="no-last-grant"`)
				}
				if kept, err := m.grant(a.UID); err != nil || !kept.Time.Equal(grant.Time) {
					t.Errorf("the grant became %+v, %v", kept, err)
				}
				if n := m.requests(""); n != 0 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
}

// An unknown source lets nobody in. The configuration refuses it already. This test is for a
// developer who adds a source and forgets a case.
func TestUnknownSource(t *testing.T) {
	a := &attempt{cfg: &config.Config{Authorization: config.Authorization{Source: "toaster"}}}
	d, err := a.authorize(t.Context(), &cloud{},
		person{objectID: userOID, roles: []string{"login", "loginAsAdmin"}})
	if err == nil || d.Login {
		t.Errorf("%+v, %v", d, err)
	}
}
