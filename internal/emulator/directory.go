// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	_ "embed" // the directory of the zero value
	"slices"
	"strings"
)

// A Directory is a tenant and one machine in its subscription. The emulator's answers depend only
// on it and on the requests. Where a field names a principal, it takes the name or the object id of
// a user, group or identity.
type Directory struct {
	TenantID    string            `toml:"tenant_id"`
	ClientID    string            `toml:"client_id"`
	Domains     []string          `toml:"domains,omitempty"`     // other names of the tenant in URLs
	Elsewhere   map[string]string `toml:"elsewhere,omitempty"`   // domains of other tenants, with these tenants' ids
	Application string            `toml:"application,omitempty"` // shown on the device page

	VerificationURI         string `toml:"verification_uri,omitempty"`          // default: this server's /devicelogin
	VerificationURIComplete bool   `toml:"verification_uri_complete,omitempty"` // Entra ID sends none today
	Interval                int    `toml:"interval,omitempty"`                  // seconds, default 5
	ExpiresIn               int    `toml:"expires_in,omitempty"`                // seconds, default 900
	Lenient                 bool   `toml:"lenient,omitempty"`                   // never answer slow_down
	GroupsClaim             bool   `toml:"groups_claim,omitempty"`              // put the user's groups into ID tokens
	PageSize                int    `toml:"page_size,omitempty"`                 // entries in a page of ARM's lists, default 1000
	Cloud                   string `toml:"cloud_instance_name,omitempty"`       // default microsoftonline.com
	CodeLength              int    `toml:"code_length,omitempty"`               // of authorization codes, default 1500 to 1650
	BareDecisions           bool   `toml:"bare_decisions,omitempty"`            // checkAccess names no role assignment: seen with Allowed, too

	UserConsent                     string       `toml:"user_consent,omitempty"`                        // what people may consent to: "all" (default), "low-impact", "none"
	Polling                         string       `toml:"polling,omitempty"`                             // what the machine is told when the browser refused: "pending" (default), "invalid_grant", "interaction_required", "access_denied"
	SecurityDefaults                bool         `toml:"security_defaults,omitempty"`                   // instead of policies
	SecurityDefaultsBlockDeviceCode bool         `toml:"security_defaults_block_device_code,omitempty"` // as in every tenant made since 2026-07-01
	BaselineScopes                  string       `toml:"baseline_scopes,omitempty"`                     // "new" (default), "old", or an application's id
	Registration                    Registration `toml:"registration,omitempty"`
	Policies                        []Policy     `toml:"policy,omitempty"`

	ManagementGroups []string     `toml:"management_groups,omitempty"` // above every subscription
	Machine          Machine      `toml:"machine"`
	Identities       []Identity   `toml:"identity,omitempty"`
	Users            []User       `toml:"user,omitempty"`
	Groups           []Group      `toml:"group,omitempty"`
	Roles            []Role       `toml:"role,omitempty"` // beside the built-in ones
	Assignments      []Assignment `toml:"assignment,omitempty"`
	Denies           []Deny       `toml:"deny,omitempty"`
	Faults           []Fault      `toml:"fault,omitempty"`
	Limits           Limits       `toml:"limits,omitempty"` // default: none

	known *lookup // the index of a directory that a server serves
}

// A Machine is the content of instance metadata.
type Machine struct {
	ResourceID  string            `toml:"resource_id,omitempty"`
	Name        string            `toml:"name,omitempty"`
	Location    string            `toml:"location,omitempty"`
	Environment string            `toml:"environment,omitempty"` // default AzurePublicCloud
	VMID        string            `toml:"vm_id,omitempty"`
	ScaleSet    string            `toml:"vm_scale_set_name,omitempty"`
	Tags        map[string]string `toml:"tags,omitempty"`
	Callers     []Caller          `toml:"caller,omitempty"`       // if any, nobody else may ask the metadata service (guestproxy.go)
	Fleet       string            `toml:"fleet,omitempty"`        // hosts with this prefix are machines of a fleet (fleet.go)
	APIVersions []string          `toml:"api_versions,omitempty"` // versions that the metadata service knows, newest first; default: today's
}

// An Identity is a managed identity of the machine.
type Identity struct {
	Name           string `toml:"name"`
	ObjectID       string `toml:"oid"`
	ClientID       string `toml:"client_id"`
	SystemAssigned bool   `toml:"system_assigned,omitempty"`
	like           string // object id of the identity whose rights it has
}

// A User is a person. Claims and Omit change the person's ID token.
type User struct {
	Name             string         `toml:"name"` // user principal name
	ObjectID         string         `toml:"oid"`
	Display          string         `toml:"display,omitempty"`
	IdentityProvider string         `toml:"idp,omitempty"` // guests: where they come from
	AppRoles         []string       `toml:"app_roles,omitempty"`
	Administrator    bool           `toml:"administrator,omitempty"` // may consent to anything
	NoMFA            bool           `toml:"no_mfa,omitempty"`        // has no second factor
	Claims           map[string]any `toml:"claims,omitempty"`
	Omit             []string       `toml:"omit,omitempty"`
}

// A Group has users, other groups or identities as members.
type Group struct {
	Name     string   `toml:"name"`
	ObjectID string   `toml:"oid"`
	Members  []string `toml:"members,omitempty"`
}

// A Role is a role definition.
type Role struct {
	ID             string   `toml:"id"`
	Name           string   `toml:"name"`
	Actions        []string `toml:"actions,omitempty"`
	NotActions     []string `toml:"not_actions,omitempty"`
	DataActions    []string `toml:"data_actions,omitempty"`
	NotDataActions []string `toml:"not_data_actions,omitempty"`
}

// An Assignment gives a role, by name or id, to a principal at a scope.
type Assignment struct {
	Principal string `toml:"principal" json:"principal"`
	Role      string `toml:"role" json:"role"`
	Scope     string `toml:"scope" json:"scope"`
	Condition string `toml:"condition,omitempty" json:"condition,omitempty"`
}

// A Deny is a deny assignment. The principal "everyone" stands for everybody.
type Deny struct {
	Name                    string   `toml:"name"`
	Principals              []string `toml:"principals"`
	Exclude                 []string `toml:"exclude,omitempty"`
	Actions                 []string `toml:"actions,omitempty"`
	NotActions              []string `toml:"not_actions,omitempty"`
	DataActions             []string `toml:"data_actions,omitempty"`
	NotDataActions          []string `toml:"not_data_actions,omitempty"`
	Scope                   string   `toml:"scope"`
	DoNotApplyToChildScopes bool     `toml:"do_not_apply_to_child_scopes,omitempty"`
}

// everyone is a principal for deny assignments, with its object id in Azure.
const (
	everyone         = "everyone"
	everyoneObjectID = "00000000-0000-0000-0000-000000000000"
)

//go:embed contoso.toml
var contoso []byte

// Contoso returns a new copy of the directory that the zero Server serves.
func Contoso() *Directory {
	d, err := Parse("contoso.toml", contoso)
	if err != nil {
		panic(err) // a test parses it, and it is part of the program
	}
	return d
}

// builtin returns the roles that exist in every subscription and that matter here.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
func builtin() []Role {
	return []Role{
		{
			ID:   "1c0163c0-47e6-4577-8991-ea5c82e286e4",
			Name: "Virtual Machine Administrator Login",
			DataActions: []string{
				"Microsoft.Compute/virtualMachines/login/action",
				"Microsoft.Compute/virtualMachines/loginAsAdmin/action",
				"Microsoft.HybridCompute/machines/login/action",
				"Microsoft.HybridCompute/machines/loginAsAdmin/action",
			},
		},
		{
			ID:   "fb879df8-f326-4884-b1cf-06f3ad86be52",
			Name: "Virtual Machine User Login",
			DataActions: []string{
				"Microsoft.Compute/virtualMachines/login/action",
				"Microsoft.HybridCompute/machines/login/action",
			},
		},
		{ID: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", Name: "Owner", Actions: []string{"*"}},
		{
			ID: "b24988ac-6180-42a0-ab88-20f7382dd24c", Name: "Contributor", Actions: []string{"*"},
			NotActions: []string{"Microsoft.Authorization/*/Delete",
				"Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action"},
		},
		{ID: "acdd72a7-3385-48ef-bd42-f606fba81ae7", Name: "Reader", Actions: []string{"*/read"}},
		{
			ID:      "65a14201-8f6c-4c28-bec4-12619c5a9aaa",
			Name:    "Connected Cluster Managed Identity CheckAccess Reader",
			Actions: []string{"Microsoft.Authorization/*/read"},
		},
	}
}

// role finds a role definition by name or id.
func (d *Directory) role(key string) (Role, bool) {
	roles := slices.Concat(d.Roles, builtin())
	i := slices.IndexFunc(roles, func(r Role) bool {
		return strings.EqualFold(r.ID, key) || strings.EqualFold(r.Name, key)
	})
	if i < 0 {
		return Role{}, false
	}
	return roles[i], true
}

// user finds a person by user principal name.
func (d *Directory) user(name string) (User, bool) {
	i := slices.IndexFunc(d.Users, func(u User) bool { return strings.EqualFold(u.Name, name) })
	if i < 0 {
		return User{}, false
	}
	return d.Users[i], true
}

// A principal can have role assignments.
type principal struct {
	name, oid, kind string // kind as ARM spells principalType
}

// principals returns all principals.
func (d *Directory) principals() []principal {
	var all []principal
	for _, u := range d.Users {
		all = append(all, principal{u.Name, u.ObjectID, "User"})
	}
	for _, g := range d.Groups {
		all = append(all, principal{g.Name, g.ObjectID, "Group"})
	}
	for _, m := range d.Identities {
		all = append(all, principal{m.Name, m.ObjectID, "ServicePrincipal"})
	}
	return all
}

// principal finds a principal by name or object id.
func (d *Directory) principal(key string) (principal, bool) {
	p, ok := d.lookup().principals[strings.ToLower(key)]
	return p, ok
}

// memberOf returns the object ids of the groups that contain the principal oid, directly or through
// nested groups. Groups may contain each other.
func (d *Directory) memberOf(oid string) []string {
	in := []string{strings.ToLower(oid)}
	members := d.lookup().members
	for grown := true; grown; {
		grown = false
		for _, g := range d.Groups {
			id := strings.ToLower(g.ObjectID)
			if !slices.Contains(in, id) &&
				slices.ContainsFunc(in, func(oid string) bool { return members[id][oid] }) {
				in, grown = append(in, id), true
			}
		}
	}
	return in[1:]
}
