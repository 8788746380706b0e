// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import "fmt"

// The values of authorization.source: what decides whether a person may log in.
const (
	CheckAccess     = "check-access"     // Azure, asked for its decision in the machine's name
	RoleAssignments = "role-assignments" // Azure, asked in the machine's name what it bases that decision on
	Permissions     = "permissions"      // Azure, asked in the person's name
	AppRoles        = "app-roles"        // the person's ID token
)

// AsksAsMachine reports whether the machine asks the source with its managed identity. Such a
// source can also be asked about a person who is not there.
func (z Authorization) AsksAsMachine() bool {
	return z.Source == CheckAccess || z.Source == RoleAssignments
}

// contradicted refuses keys that have no effect with the chosen source, or lack what they need.
func (c *Config) contradicted() *Error {
	z := c.Authorization
	source := fmt.Sprintf("authorization.source %q", z.Source)
	switch {
	case z.Source == AppRoles && c.Cloud == "auto" && c.Endpoints.Authority == "":
		return wrong(`is "auto", which asks the metadata service of an Azure machine; `+
			source+" does without it",
			"set it to public, usgovernment or china, or set endpoints.authority").at("cloud", 0)
	case z.Source == AppRoles && z.ResourceID != "":
		return wrong("is of no use with "+source+", which knows no machines",
			"leave it empty").at("authorization.resource_id", 0)
	case !z.AsksAsMachine() && z.ManagedIdentity != "":
		return wrong("is of no use with "+source+", which does not ask in the machine's name",
			"leave it empty").at("authorization.managed_identity", 0)
	case !z.AsksAsMachine() && c.SignIn.ReuseWindow != 0:
		return wrong("is of no use with "+source+
			", which can only be asked when a person signs in with a browser",
			`leave it "0s"`).at("sign_in.reuse_window", 0)
	}
	return nil
}
