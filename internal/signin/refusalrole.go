// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"fmt"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
)

// noRole begins with the sentence that users of the preview know, word for word.
func (a *attempt) noRole(c *cloud, oid, action string) error {
	if a.cfg.Authorization.Source == config.AppRoles {
		return a.noAppRole(oid, action)
	}
	a.event.scope = cmp.Or(a.event.scope, c.resource.String())
	role := roleFor(action)
	scope := c.resource.Scope()
	person := fmt.Sprintf("Access denied:  to sign-in you be assigned a role with action '%s', "+
		"for example '%s'\nScope: %s\nObject ID: %s", action, role, scope, oid)
	fix := assign(oid, role, scope)
	if a.event.withheld {
		fix = rbac.AskWhoDenied
	}
	return a.refuse(Denied, person, "no-role", "action", action, "fix", fix)
}

// roleFor is Azure's own role for an action.
func roleFor(action string) string {
	if strings.HasSuffix(strings.ToLower(action), "/loginasadmin/action") {
		return "Virtual Machine Administrator Login"
	}
	return "Virtual Machine User Login"
}

func assign(oid, role, scope string) string {
	return fmt.Sprintf("az role assignment create --assignee-object-id %s --role '%s' --scope '%s'",
		oid, role, scope)
}

// noAppRole is noRole where app roles decide.
func (a *attempt) noAppRole(oid, role string) error {
	person := fmt.Sprintf("Access denied:  to sign-in you be assigned the app role '%s' of this "+
		"machine's application\nApplication: %s\nObject ID: %s", role, a.cfg.ClientID, oid)
	fix := fmt.Sprintf("in the Entra admin center, at Enterprise applications, application %s, "+
		"Users and groups: give object %s the app role with the value %s", a.cfg.ClientID, oid, role)
	return a.refuse(Denied, person, "no-role", "app_role", role, "fix", fix)
}
