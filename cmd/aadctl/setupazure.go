// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"aadlogin/internal/azcli"
	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
	"aadlogin/internal/signin"
)

// A discovered is what the metadata service, or the agent of Azure Arc, says about the machine.
type discovered struct {
	resource string // "" if there is no answer, or none with an id
	refusal  error  // the refusal of a metadata service
	tenant   string // "" without a managed identity, and on Arc, whose agent does not know it
}

// patience is how long setup waits for metadata on a machine that is not in Azure.
const patience = 10 * time.Second

func discover(ctx context.Context, e config.Endpoints) discovered {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var nowhere discovered
	for _, arc := range []bool{false, true} {
		if arc && e.Metadata != "" {
			break // its agent has been asked
		}
		m := &azure.Metadata{Endpoint: e.Metadata, Arc: arc}
		compute, err := m.Compute(ctx)
		if err == nil {
			found := discovered{resource: compute.ResourceID}
			if !found.onArc() { // the agent of Arc does not know it
				found.tenant, _ = m.TenantID(ctx)
			}
			return found
		}
		if refused := (*azure.Error)(nil); errors.As(err, &refused) {
			nowhere.refusal = err
		}
	}
	return nowhere
}

func (d discovered) onArc() bool {
	return strings.Contains(strings.ToLower(d.resource),
		"/providers/microsoft.hybridcompute/machines/")
}

func (d discovered) tell(out io.Writer) {
	asked, forbidden := signin.Forbidden(d.refusal)
	switch {
	case d.resource == "" && forbidden:
		fmt.Fprintf(out,
			"A rule forbids aadctl (%s) to ask the metadata service of this machine:\n%s\n"+
				"Sign-ins ask it, too: aadctl check lists the programs that the rule must let in. "+
				"For now, give authorization.resource_id and cloud by hand.\n", asked,
			printable(plain(d.refusal)))
	case d.resource == "" && d.refusal != nil:
		fmt.Fprintf(out,
			"The metadata service of this machine answers, but does not say which machine it "+
				"is:\n%s\n"+
				"If it is one of Azure Arc, update its agent; or give authorization.resource_id "+
				"and cloud by hand.\n",
			printable(plain(d.refusal)))
	case d.resource == "":
		fmt.Fprintln(out, "This machine is not in Azure: no metadata service answers.")
	case d.onArc():
		fmt.Fprintf(out, "The agent of Azure Arc says that this machine is\n%s\n"+
			"Any local process may answer in its place while it is down: see that this is right.\n",
			printable(d.resource))
	default:
		fmt.Fprintf(out, "This machine is\n%s\n", printable(d.resource))
	}
}

// appCreate makes the app registration, with the delegated permissions openid and profile of
// Microsoft Graph. https://learn.microsoft.com/graph/permissions-reference
const appCreate = `az ad app create --display-name aad-login --sign-in-audience AzureADMyOrg --is-fallback-public-client true ` +
	`--required-resource-accesses '[{"resourceAppId": "00000003-0000-0000-c000-000000000000", "resourceAccess": [` +
	`{"id": "37f7f235-527c-4136-accd-4a02d197296e", "type": "Scope"}, ` +
	`{"id": "14dad69e-099b-42c9-810b-d002981feec1", "type": "Scope"}]}]' --query appId --output tsv`

// printLeft prints the steps that need permissions in Azure.
func printLeft(out io.Writer, c *config.Config, d discovered) {
	id := c.Authorization.ResourceID
	if id == "" {
		id = d.resource
	}
	machine, err := rbac.ParseResource(id)
	fmt.Fprintln(out, "\nLeft to do, where it is not done yet, with the Azure CLI:")
	for _, line := range registrationLines(c) {
		fmt.Fprintln(out, "\n"+line)
	}
	if c.SignIn.Scope == "" && c.Authorization.Source != config.Permissions {
		fmt.Fprintf(out,
			"\n# sign_in.scope is not set, so Conditional Access does not see this application. "+
				"To change that, on each machine,\n# once these have been run:\n"+
				"# aadctl setup --tenant %s --client %s --domain %s --scope %s\n",
			c.TenantID, c.ClientID, strings.Join(c.Domains, ","), config.OwnScope(c.ClientID))
	}
	switch {
	case c.Authorization.Source == config.AppRoles:
		for _, line := range appRoleLines(c) {
			fmt.Fprintln(out, "\n"+line)
		}
	case id == "":
		fmt.Fprintln(out,
			"\nWithout Azure, nobody can be asked for roles: use --source app-roles, or "+
				"--resource-id.")
	case err != nil || !plainID(id):
		fmt.Fprintln(out,
			"\nThe resource id of this machine is a strange one: no command is made of it.")
	default:
		for _, line := range commandsFor(machine, c) {
			fmt.Fprintln(out, "\n"+line)
		}
	}
}

// plainID keeps metadata, which a neighbour may forge, from putting a command into a shell.
func plainID(id string) bool {
	return strings.HasPrefix(id, "/") && !strings.ContainsFunc(id, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("/._-()", r))
	})
}

// commandsFor returns the commands that are left for a machine, or for its scale set.
func commandsFor(machine rbac.Resource, c *config.Config) []string {
	lines := []string{"# This machine"}
	if machine.InScaleSet() {
		lines = []string{"# The scale set of this machine, for all of its instances"}
	}
	named := c.Authorization.ManagedIdentity
	if c.Authorization.AsksAsMachine() {
		if need := azcli.NeedIdentity(machine); need != "" && named == "" {
			lines = append(lines, need)
			if machine.InScaleSet() {
				lines = append(lines,
					"# With a manual upgrade policy, an instance has the identity only after: az "+
						"vmss update-instances --instance-ids INSTANCE --ids '"+machine.Scope()+"'")
			}
		}
		lines = append(lines,
			"# What lets it ask: Azure's own role with nothing but "+
				"Microsoft.Authorization/*/read. Where a cloud does not have it, the first line\n"+
				"# makes one for the tenant, or adds this subscription to it.",
			azcli.NeedReader(machine), azcli.AssignReader(machine, named))
	}
	lines = append(lines, "# For a PERSON, one of these")
	for _, role := range []string{"Virtual Machine Administrator Login",
		"Virtual Machine User Login"} {
		lines = append(lines, fmt.Sprintf(roleForPerson, c.Domains[0], role, machine.Scope()))
	}
	return lines
}

const roleForPerson = "az role assignment create --assignee 'PERSON@%s' --role '%s' --scope '%s'"
