// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// This file is the part of the stand-in for the Azure CLI that knows roles. The name of a custom
// role is unique in the tenant. The role can be seen and assigned only in the subscriptions of its
// AssignableScopes, and is updated by naming one of these.

var azRoleCommands = map[string]azCommand{
	"role definition list": {nil, map[string]func(string) error{"name": given, "scope": isScope,
		"custom-role-only": oneOf("true", "false")}, listRoles},
	"role definition create": {
		[][]string{{"role-definition"}},
		map[string]func(string) error{"role-definition": isRoleDefinition}, createRole},
	"role definition update": {
		[][]string{{"role-definition"}},
		map[string]func(string) error{"role-definition": isRoleDefinition}, updateRole},
	"role assignment create": {
		[][]string{{"assignee", "assignee-object-id"}, {"role"}, {"scope"}},
		map[string]func(string) error{
			"assignee": isPerson, "assignee-object-id": isGUID, "role": given, "scope": isScope,
			"assignee-principal-type": oneOf("ForeignGroup", "Group", "ServicePrincipal", "User"),
		}, assignRole},
}

const (
	accessReader   = "65a14201-8f6c-4c28-bec4-12619c5a9aaa"
	accessName     = "Connected Cluster Managed Identity CheckAccess Reader"
	ownReader      = "aad-login access reader"
	currentAccount = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
)

// azRoles holds what the emulator's directory lacks of the tenant's roles.
type azRoles struct {
	withoutReader bool                // a cloud that lacks Azure's own role for machines
	scopes        map[string][]string // AssignableScopes of a custom role, by its name; the directory's own have the current subscription
	updates       int
}

var azTenant azRoles

// azRole is a definition as the CLI takes it, with members in either case.
type azRole struct {
	Name, Description                                string
	Actions, NotActions, DataActions, NotDataActions []string
	Permissions                                      []azPermission
	AssignableScopes                                 []string
}

type azPermission struct{ Actions, NotActions, DataActions, NotDataActions []string }

func isRoleDefinition(text string) error {
	var r azRole
	if err := azDecode(text, &r); err != nil {
		return err
	}
	all := r.permissions()
	if r.Name == "" || len(all) != 1 || len(all[0].Actions)+len(all[0].DataActions) == 0 ||
		len(r.AssignableScopes) == 0 {
		return fmt.Errorf("Name, Actions and AssignableScopes are required: %+v", r)
	}
	for i, scope := range r.AssignableScopes {
		if err := isScope(scope); err != nil {
			return err
		}
		if slices.Contains(r.AssignableScopes[:i], scope) {
			return fmt.Errorf("scope %s twice", scope)
		}
	}
	return nil
}

func (r azRole) permissions() []azPermission {
	if r.Permissions != nil {
		return r.Permissions
	}
	return []azPermission{{r.Actions, r.NotActions, r.DataActions, r.NotDataActions}}
}

// seenFrom returns the roles of a subscription: Azure's own, and the custom roles that can be
// assigned there.
func seenFrom(scope string) (seen []emulator.Role, err error) {
	subscription := strings.Join(strings.Split(scope, "/")[:3], "/")
	err = rig.Entra.Update(func(d *emulator.Directory) {
		for _, r := range d.Roles {
			scopes, made := azTenant.scopes[r.Name]
			if !made {
				scopes = []string{currentAccount}
			}
			if slices.Contains(scopes, subscription) {
				seen = append(seen, r)
			}
		}
	})
	seen = append(seen,
		emulator.Role{ID: "1c0163c0-47e6-4577-8991-ea5c82e286e4", Name: rig.AdminRole},
		emulator.Role{ID: "fb879df8-f326-4884-b1cf-06f3ad86be52", Name: rig.LoginRole})
	if !azTenant.withoutReader {
		seen = append(seen, emulator.Role{ID: accessReader, Name: accessName})
	}
	return seen, err
}

func listRoles(a azArguments) (any, error) {
	seen, err := seenFrom(cmpString(a["scope"], currentAccount))
	all := []any{}
	for _, r := range seen {
		if a["name"] == "" || a["name"] == r.ID || a["name"] == r.Name {
			all = append(all, map[string]any{"name": r.ID, "roleName": r.Name})
		}
	}
	return all, err
}

func cmpString(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// customRoles gets the tenant's own roles.
// https://learn.microsoft.com/azure/role-based-access-control/custom-roles-rest
func customRoles(a azArguments) (any, error) {
	u, err := url.Parse(a["url"])
	if err != nil || u.Host != "" ||
		u.Path != "/providers/Microsoft.Authorization/roleDefinitions" || len(u.Query()) != 2 ||
		u.Query().Get("api-version") != "2022-04-01" ||
		u.Query().Get("$filter") != "type eq 'CustomRole'" || a["body"] != "" {
		return nil, fmt.Errorf("GET %s: %v", a["url"], err)
	}
	value := []any{}
	err = rig.Entra.Update(func(d *emulator.Directory) {
		for _, r := range d.Roles {
			scopes := azTenant.scopes[r.Name]
			if scopes == nil {
				scopes = []string{currentAccount}
			}
			permission := map[string]any{
				"actions":        list(r.Actions),
				"notActions":     list(r.NotActions),
				"dataActions":    list(r.DataActions),
				"notDataActions": list(r.NotDataActions),
			}
			properties := map[string]any{
				"roleName":         r.Name,
				"type":             "CustomRole",
				"description":      "of " + r.Name,
				"assignableScopes": scopes,
				"permissions":      []map[string]any{permission},
			}
			value = append(value, plainJSON(map[string]any{
				"name":       r.ID,
				"properties": properties,
			}))
		}
	})
	return map[string]any{"value": value}, err
}

func list(all []string) []string { return append([]string{}, all...) }

func createRole(a azArguments) (any, error) {
	var r azRole
	if err := azDecode(a["role-definition"], &r); err != nil {
		return nil, err
	}
	taken := false
	err := rig.Entra.Update(func(d *emulator.Directory) {
		taken = slices.ContainsFunc(d.Roles,
			func(old emulator.Role) bool { return strings.EqualFold(old.Name, r.Name) })
		if !taken {
			p := r.permissions()[0]
			d.Roles = append(d.Roles, emulator.Role{
				ID: fmt.Sprintf("10101010-0000-4000-8000-%012d", len(d.Roles)), Name: r.Name,
				Actions: p.Actions, NotActions: p.NotActions, DataActions: p.DataActions,
				NotDataActions: p.NotDataActions,
			})
		}
	})
	if taken {
		return nil, errors.New("(RoleDefinitionWithSameNameExists) A custom role with the same " +
			"name already exists in this directory. Use a different name")
	}
	azTenant.assignable(r)
	return map[string]any{"roleName": r.Name}, err
}

func (all *azRoles) assignable(r azRole) {
	if all.scopes == nil {
		all.scopes = map[string][]string{}
	}
	all.scopes[r.Name] = r.AssignableScopes
}

// updateRole looks for the role by its name, in each of its new scopes.
func updateRole(a azArguments) (any, error) {
	var r azRole
	if err := azDecode(a["role-definition"], &r); err != nil {
		return nil, err
	}
	found := slices.ContainsFunc(r.AssignableScopes, func(scope string) bool {
		seen, _ := seenFrom(scope)
		return slices.ContainsFunc(seen, func(old emulator.Role) bool { return old.Name == r.Name })
	})
	if !found {
		return nil, fmt.Errorf("No definition was found with the name of %q", r.Name)
	}
	azTenant.updates++
	azTenant.assignable(r)
	return map[string]any{"roleName": r.Name}, rig.Entra.Update(func(d *emulator.Directory) {
		p := r.permissions()[0]
		for i := range d.Roles {
			if d.Roles[i].Name == r.Name {
				d.Roles[i].Actions, d.Roles[i].NotActions = p.Actions, p.NotActions
				d.Roles[i].DataActions, d.Roles[i].NotDataActions = p.DataActions, p.NotDataActions
			}
		}
	})
}

// assignRole needs a role that can be seen where it is assigned. If the principal is a machine's
// identity, it must exist.
func assignRole(a azArguments) (any, error) {
	seen, err := seenFrom(a["scope"])
	i := slices.IndexFunc(seen, func(r emulator.Role) bool {
		return a["role"] == r.ID || a["role"] == r.Name
	})
	switch {
	case err != nil:
		return nil, err
	case a["assignee"] != "" &&
		(a["assignee-object-id"] != "" || a["assignee-principal-type"] != ""):
		return nil, errors.New("usage error: --assignee STRING | --assignee-object-id GUID " +
			"--assignee-principal-type TYPE")
	case i < 0 && isGUID(a["role"]) == nil:
		return nil, fmt.Errorf("(RoleDefinitionDoesNotExist) The specified role definition with "+
			"ID '%s' does not exist.", a["role"])
	case i < 0:
		return nil, fmt.Errorf("Role '%s' doesn't exist.", a["role"])
	}
	principal, there := a["assignee"]+a["assignee-object-id"],
		a["assignee-principal-type"] != "ServicePrincipal"
	for _, id := range azElsewhere {
		there = there || id == principal
	}
	err = rig.Entra.Update(func(d *emulator.Directory) {
		there = there || slices.ContainsFunc(d.Identities,
			func(i emulator.Identity) bool { return i.ObjectID == principal })
		made := emulator.Assignment{Principal: principal, Role: seen[i].Name, Scope: a["scope"]}
		if there && !slices.Contains(d.Assignments, made) {
			d.Assignments = append(d.Assignments, made)
		}
	})
	if !there {
		err = fmt.Errorf("(PrincipalNotFound) Principal %s does not exist in the directory",
			principal)
	}
	return map[string]any{"principalId": principal, "scope": a["scope"]}, err
}
