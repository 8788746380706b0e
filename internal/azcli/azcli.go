// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package azcli returns the Azure CLI commands that give a machine its identity, and that identity
// its role. They are for a POSIX shell. Each can be run again, and none needs a variable that
// another one sets.
//
// The commands are about the machine's scope ([rbac.Resource.Scope]). For an instance of a uniform
// scale set that is the set, and the commands are "az vmss". The name of a machine that
// [rbac.ParseResource] has accepted contains no quotes, so it cannot end the quotes around it.
//
// https://learn.microsoft.com/cli/azure/reference-index
package azcli

import (
	"fmt"
	"strings"

	"aadlogin/internal/rbac"
)

// Reader is Azure's own role "Connected Cluster Managed Identity CheckAccess Reader", which has
// Microsoft.Authorization/*/read and nothing else. A machine needs that to ask, and must not have
// more, because every local process can use its identity.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
const Reader = "65a14201-8f6c-4c28-bec4-12619c5a9aaa"

// ownReader is the role for clouds that do not have Reader. Such a name is unique in the whole
// tenant, so all subscriptions share the role.
const ownReader = "aad-login access reader"

const (
	hasReader = `az role definition list --name ` + Reader + ` --query '[].name' --output tsv`

	// customRoles lists the custom roles of the tenant. "az role definition list" knows those of
	// one subscription only.
	// https://learn.microsoft.com/azure/role-based-access-control/custom-roles-rest
	customRoles = `az rest --method GET --url '/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter=type+eq+%%27CustomRole%%27'`

	ourRole = "value[?properties.roleName==`\"" + ownReader + "\"`].properties"

	createReader = `az role definition create --role-definition '{"Name": "` + ownReader + `", ` +
		`"Description": "Lets a machine ask who may sign in to it", "Actions": ["Microsoft.Authorization/*/read"], "AssignableScopes": ["%[1]s"]}'`

	// The scopes that the role has come first: the CLI finds the role by them.
	updateReader = `az role definition update --role-definition "$(` + customRoles + ` --query '` +
		ourRole +
		" | [0].{name: roleName, description: description, permissions: permissions, " +
		"assignableScopes: [assignableScopes, [`\"%[1]s\"`]][]}' --output json)\""

	needReader = hasReader + ` | grep -q . || { scopes=$(` + customRoles + ` --query '` + ourRole +
		`.assignableScopes[]' --output tsv) && ` +
		`case "$scopes" in "") ` + createReader + `;; *%[1]s*) ;; *) ` + updateReader + `;; esac; }`

	assignReader = `az role assignment create --assignee-object-id "$(%s --output tsv)" --assignee-principal-type ServicePrincipal ` +
		`--role "$(` + hasReader + ` | grep . || echo '` + ownReader + `')" --scope '%s'`

	// ownIdentity prints the machine's own identity, or the only one that it has. The next command
	// refuses several, which are no object id.
	ownIdentity = "az resource show --ids '%s' --query 'identity.principalId || " +
		"identity.userAssignedIdentities.*.principalId'"
	namedIdentity = "az ad sp show --id '%s' --query id"
)

// AssignIdentity returns the command that switches on the machine's own identity, or "" for Azure
// Arc, whose agent has done that.
func AssignIdentity(machine rbac.Resource) string {
	if machine.OnArc() {
		return ""
	}
	return "az " + kind(machine) + " identity assign --ids '" + machine.Scope() + "'"
}

// NeedIdentity returns the same command for a machine that may have an identity already. It adds
// none to a machine that has one of either kind.
func NeedIdentity(machine rbac.Resource) string {
	if machine.OnArc() {
		return ""
	}
	return fmt.Sprintf(ownIdentity, machine.Scope()) + " --output tsv | grep -q . || " +
		AssignIdentity(machine)
}

// ShowIdentities returns the command that lists the machine's identities.
func ShowIdentities(machine rbac.Resource) string {
	if machine.OnArc() {
		return "az connectedmachine show --ids '" + machine.Scope() + "'"
	}
	return "az " + kind(machine) + " identity show --ids '" + machine.Scope() + "'"
}

func kind(machine rbac.Resource) string {
	if machine.InScaleSet() {
		return "vmss"
	}
	return "vm"
}

// NeedReader returns a command that does nothing where Azure has [Reader]. Elsewhere it makes the
// tenant's own role, or adds the machine's subscription to it.
func NeedReader(machine rbac.Resource) string {
	segments := strings.Split(machine.Scope(), "/")
	return fmt.Sprintf(needReader, "/subscriptions/"+strings.ToLower(segments[2]))
}

// AssignReader returns the command that gives the role to the identity with this client id, or for
// "" to the machine's own or only one. It is to be run after NeedReader's.
func AssignReader(machine rbac.Resource, named string) string {
	identity := fmt.Sprintf(ownIdentity, machine.Scope())
	if named != "" {
		identity = fmt.Sprintf(namedIdentity, named)
	}
	return fmt.Sprintf(assignReader, identity, machine.Scope())
}
