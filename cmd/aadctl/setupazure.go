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

	"aadlogin/internal/azure"
	"aadlogin/internal/config"
)

// discovered is what the metadata service says of the machine, or the agent of Azure Arc.
type discovered struct {
	resource string // "": nobody answered, or not with that
	refusal  error  // what a metadata service said instead
	tenant   string // "": no managed identity, or Arc, which does not know
}

// patience is how long setup waits for a machine that is not in Azure to be silent.
const patience = 10 * time.Second

// endpointsOf are those that a file sets, complete or not.
func endpointsOf(text []byte) config.Endpoints {
	for _, key := range []string{"tenant_id", "client_id"} {
		text, _ = config.Set(text, key, config.Spell("ffffffff-ffff-ffff-ffff-ffffffffffff"))
	}
	text, _ = config.Set(text, "domains", `["domain.example"]`)
	text, _ = config.Set(text, "sign_in.scope", config.Spell("")) // which names the client
	c, err := config.Parse("", text)
	if err != nil {
		return config.Endpoints{} // what is wrong with it is told before it is written
	}
	return c.Endpoints
}

func discover(ctx context.Context, e config.Endpoints) discovered {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var nowhere discovered
	for _, arc := range []bool{false, true} {
		if arc && e.Metadata != "" {
			break // that one has been asked
		}
		m := &azure.Metadata{Endpoint: e.Metadata, Arc: arc}
		compute, err := m.Compute(ctx)
		if err == nil {
			found := discovered{resource: compute.ResourceID}
			if !found.onArc() { // whose agent does not know
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
	return strings.Contains(strings.ToLower(d.resource), "/providers/microsoft.hybridcompute/machines/")
}

func (d discovered) tell(out io.Writer) {
	switch {
	case d.resource == "" && d.refusal != nil:
		fmt.Fprintf(out, "The metadata service of this machine answers, but does not say which machine it is:\n%s\n"+
			"If it is one of Azure Arc, update its agent; or give authorization.resource_id and cloud by hand.\n",
			printable(strings.TrimPrefix(d.refusal.Error(), "azure: ")))
	case d.resource == "":
		fmt.Fprintln(out, "This machine is not in Azure: no metadata service answers.")
	case d.onArc():
		fmt.Fprintf(out, "The agent of Azure Arc says that this machine is\n%s\n"+
			"Any local process may answer in its place while it is down: see that this is right.\n", printable(d.resource))
	default:
		fmt.Fprintf(out, "This machine is\n%s\n", printable(d.resource))
	}
}

// appCreate makes the app registration, with the delegated permissions openid and profile of Microsoft Graph.
// https://learn.microsoft.com/graph/permissions-reference
const appCreate = `az ad app create --display-name aad-login --sign-in-audience AzureADMyOrg --is-fallback-public-client true ` +
	`--required-resource-accesses '[{"resourceAppId": "00000003-0000-0000-c000-000000000000", "resourceAccess": [` +
	`{"id": "37f7f235-527c-4136-accd-4a02d197296e", "type": "Scope"}, ` +
	`{"id": "14dad69e-099b-42c9-810b-d002981feec1", "type": "Scope"}]}]' --query appId --output tsv`

// printLeft prints what only somebody with rights in Azure can do.
func printLeft(out io.Writer, c *config.Config, d discovered) {
	id := c.Authorization.ResourceID
	if id == "" {
		id = d.resource
	}
	fmt.Fprintln(out, "\nLeft to do, where it is not done yet, with the Azure CLI:")
	for _, line := range registrationLines(c) {
		fmt.Fprintln(out, "\n"+line)
	}
	if c.SignIn.Scope == "" && c.Authorization.Source != config.Permissions {
		fmt.Fprintf(out, "\n# sign_in.scope is not set, so Conditional Access does not see this application. To change that, on each machine,\n# once these have been run:\n"+
			"# aadctl setup --tenant %s --client %s --domain %s --scope %s\n",
			c.TenantID, c.ClientID, strings.Join(c.Domains, ","), config.OwnScope(c.ClientID))
	}
	switch {
	case c.Authorization.Source == config.AppRoles:
		fmt.Fprintf(out, "\nAnd in the Entra admin center: give the app roles \"login\" and \"loginAsAdmin\"\n"+
			"of application %s.\n", c.ClientID)
	case id == "":
		fmt.Fprintln(out, "\nWithout Azure, nobody can be asked for roles: use --source app-roles, or --resource-id.")
	case !plainID(id):
		fmt.Fprintln(out, "\nThe resource id of this machine is a strange one: no command is made of it.")
	default:
		fmt.Fprintln(out, "\n# This machine")
		for _, line := range commands(c, id, d) {
			fmt.Fprintln(out, "\n"+line)
		}
	}
	fmt.Fprintln(out, "\nThen see whether all is well: aadctl check")
}

// plainID keeps metadata, which a neighbour may forge, from putting a command of its own into a shell.
func plainID(id string) bool {
	return strings.HasPrefix(id, "/") && !strings.ContainsFunc(id, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-()", r))
	})
}

// reader is the one role that the machine's own identity needs: every local process can use it.
const reader = "aad-login access reader"

const (
	roleCreate = `az role definition create --role-definition '{"Name": "%s", ` +
		`"Description": "Lets a machine ask who may sign in to it", ` +
		`"Actions": ["Microsoft.Authorization/*/read"], "AssignableScopes": ["%s"]}'`
	roleForMachine = `az role assignment create --assignee-object-id "$(%s --output tsv)" ` +
		`--assignee-principal-type ServicePrincipal --role '%s' --scope %s`
	ownIdentity   = "az resource show --ids %s --query identity.principalId"
	namedIdentity = "az ad sp show --id %s --query id" // of a user-assigned identity, which identity.principalId is not
	roleForPerson = "az role assignment create --assignee 'PERSON@%s' --role '%s' --scope %s"
)

func commands(c *config.Config, id string, d discovered) []string {
	var lines []string
	quoted := "'" + id + "'" // a resource group may be called a(b)
	if c.Authorization.AsksAlone() {
		subscription := strings.Join(strings.Split(id, "/")[:min(3, strings.Count(id, "/")+1)], "/")
		identity := fmt.Sprintf(ownIdentity, quoted)
		switch named := c.Authorization.ManagedIdentity; {
		case named != "":
			identity = fmt.Sprintf(namedIdentity, named)
		case d.tenant == "" && !d.onArc():
			lines = append(lines, "az vm identity assign --ids "+quoted)
		}
		lines = append(lines, fmt.Sprintf(roleCreate, reader, subscription), fmt.Sprintf(roleForMachine, identity, reader, quoted))
	}
	for _, role := range []string{"Virtual Machine Administrator Login", "Virtual Machine User Login"} {
		lines = append(lines, fmt.Sprintf(roleForPerson, c.Domains[0], role, quoted))
	}
	return lines
}
