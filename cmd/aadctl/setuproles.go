// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"aadlogin/internal/config"
)

// These commands make and assign the two app roles, for the source app-roles. Microsoft Graph takes
// the list of an application's roles as a whole, so a command reads it, adds the roles and writes
// it back, as for the scopes. The enterprise application records the assignments by the role's id.
// The commands look the id up there, because roles that were made in another way have other ids.
//
// https://learn.microsoft.com/graph/api/resources/approle
// https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto
const (
	roleOneMore = `{appRoles: [appRoles || ` + "`[]`, [`" +
		`{"id": "%s", "value": "%s", "displayName": "%s", "description": "%s", "isEnabled": true, "allowedMemberTypes": ["User"]}` + "`" + `]][]}`

	giveRole = `az rest --method POST --url "https://graph.microsoft.com/v1.0/servicePrincipals/$(az ad sp show --id %[1]s --query id --output tsv)/appRoleAssignedTo" ` +
		`--body "{\"principalId\": \"$(az ad user show --id 'PERSON@%[2]s' --query id --output tsv)\", ` +
		`\"resourceId\": \"$(az ad sp show --id %[1]s --query id --output tsv)\", ` +
		`\"appRoleId\": \"$(az ad sp show --id %[1]s --query 'appRoles[?value==` +
		"`\"%[3]s\"`" + `].id' --output tsv)\"}"`
)

// appRoleLines returns the commands that add the roles to the application and assign them to a
// person.
func appRoleLines(c *config.Config) []string {
	roles := [][3]string{
		{"login", "Log in", "May log in"},
		{"loginAsAdmin", "Log in as administrator", "May use sudo"},
	}
	lines := []string{"# The two app roles of the application"}
	for _, r := range roles {
		add := fmt.Sprintf(roleOneMore, scopeID(c.ClientID, "appRoles/"+r[0]), r[0], r[1], r[2])
		lines = append(lines, fmt.Sprintf(has, c.ClientID, "appRoles[].value", r[0])+
			fmt.Sprintf(patchApplication, c.ClientID, add))
	}
	lines = append(lines,
		"# For a PERSON: the first lets them log in, and the second besides it makes an "+
			"administrator.")
	for _, r := range roles {
		lines = append(lines, fmt.Sprintf(giveRole, c.ClientID, c.Domains[0], r[0]))
	}
	return lines
}
