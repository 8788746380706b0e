// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"slices"
)

// The values of the app roles that the application registration defines.
// https://learn.microsoft.com/entra/identity-platform/howto-add-app-roles-in-apps
const (
	AppRoleLogin        = "login"
	AppRoleLoginAsAdmin = "loginAsAdmin"
)

// AppRoles asks no server: Entra ID puts a person's app roles into the ID token, whether they are
// assigned to the person or to a group that the person is a direct member of. App roles do not know
// machines: a person with the role has it on every machine of that application.
type AppRoles struct {
	Roles []string // the roles claim of the verified ID token
}

// Ask implements Source.
func (s AppRoles) Ask(_ context.Context, q Question) (Facts, error) {
	return Facts{Question: q, Evidence: Roles(s.Roles)}, nil
}

// Roles are app roles. Their values are compared with case, because an application may define two
// that differ only in case.
type Roles []string

func (r Roles) find(Question) (login, admin match) {
	has := func(role string) match {
		if slices.Contains(r, role) {
			return allowed(By{Role: role})
		}
		return refused(role, "the app role is not assigned")
	}
	return has(AppRoleLogin), has(AppRoleLoginAsAdmin)
}
