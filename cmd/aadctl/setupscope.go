// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"aadlogin/internal/config"
)

// noScope is the value of --scope that leaves sign_in.scope empty.
const noScope = "none"

// scopeFor returns the sign_in.scope to write, or "" to leave the file alone. Without --scope, it
// returns one only along with a client_id that is new to the file. Only then does setup print the
// commands that expose the scope. Without an exposed scope, the browser would refuse everybody.
func (w *wanted) scopeFor(text []byte) string {
	_, had := config.Set(text, "client_id", "")
	_, scope := config.Set(text, "sign_in.scope", "")
	_, source := config.Set(text, "authorization.source", "")
	if w.source != "" {
		source = config.Spell(w.source)
	}
	permissions := source == config.Spell(config.Permissions)
	client := strings.ToLower(w.client)
	before := anyGUID.FindString(strings.ToLower(had))
	switch {
	case w.scope == noScope && scope == "":
		return ""
	case w.scope == noScope, w.scope == "" && permissions && scope != "":
		return config.Spell("")
	case w.scope != "":
		return config.Spell(w.scope)
	case permissions || before == client:
		return ""
	case scope == "", before != "" && strings.Contains(strings.ToLower(scope), before):
		return config.Spell(config.OwnScope(client))
	default:
		return ""
	}
}

var anyGUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// These commands complete the registration, and can be repeated. Microsoft Graph takes the
// application's scopes, and the list of pre-authorized applications, as a whole. So a command reads
// them, adds to them and writes them back: --query (JMESPath) builds the body. The application's
// own list comes first and stays complete.
//
// https://learn.microsoft.com/graph/api/application-update
const (
	haveEnterprise = `az ad sp show --id %[1]s --output none 2>/dev/null || az ad sp create --id %[1]s --output none`

	patchApplication = `az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications/$(az ad app show --id %[1]s --query id --output tsv)" ` +
		`--body "$(az ad app show --id %[1]s --query '%[2]s' --output json)"`

	has = `az ad app show --id %[1]s --query '%[2]s' --output tsv | grep -qxF '%[3]s' || `

	scopesExposed = `{api: {oauth2PermissionScopes: [api.oauth2PermissionScopes || ` + "`[]`" +
		`, [` + "`" +
		`{"id": "%s", "value": "%s", "type": "User", "isEnabled": true, ` +
		`"adminConsentDisplayName": "Sign in to Linux machines", "adminConsentDescription": "Lets people sign in to Linux machines with this application", ` +
		`"userConsentDisplayName": "Sign in to Linux machines", "userConsentDescription": "Lets you sign in to Linux machines with this application"}` +
		"`" + `]][]}}`

	clientsAllowed = `{api: {preAuthorizedApplications: [api.preAuthorizedApplications || ` +
		"`[]`" +
		`, [{appId: appId, delegatedPermissionIds: api.oauth2PermissionScopes[?value==` +
		"`\"%s\"`" + `].id}]][]}}`

	grantForAll = `az ad app permission grant --id %s --api %s --scope '%s'`
)

// These are the applications whose scopes a sign-in asks for.
const (
	graph = "00000003-0000-0000-c000-000000000000"
	arm   = "797f4846-ba00-4fd7-ba43-dac1f8f63013" // Azure Service Management
)

// registrationLines returns the commands for what the application needs besides its registration:
// an enterprise application, a scope of its own, and consent. They expose the scope even if the
// configuration does not have it yet, because the configuration comes after them.
func registrationLines(c *config.Config) []string {
	id, scope := c.ClientID, c.SignIn.Scope
	if scope == "" && c.Authorization.Source != config.Permissions {
		scope = config.OwnScope(id)
	}
	lines := []string{"# The application " + id + ", once for the tenant",
		fmt.Sprintf(haveEnterprise, id)}
	if i := strings.LastIndexByte(scope, '/'); i >= 0 {
		lines = append(lines, exposeLines(id, scope[:i], scope[i+1:])...)
	}
	lines = append(lines, addressLines(c)...)
	lines = append(lines,
		"# Consent for everybody. Each replaces what this application was granted for the same "+
			"resource before.",
		fmt.Sprintf(grantForAll, id, graph, "openid profile"))
	switch i := strings.LastIndexByte(scope, '/'); {
	case i >= 0:
		lines = append(lines, fmt.Sprintf(grantForAll, id, id, scope[i+1:]))
	case c.Authorization.Source == config.Permissions:
		lines = append(lines, fmt.Sprintf(grantForAll, id, arm, "user_impersonation"))
	}
	return lines
}

// exposeLines returns the commands that make the scope and pre-authorize the application for it, in
// the order that Graph requires.
func exposeLines(id, resource, name string) (lines []string) {
	if resource != id {
		lines = append(lines, "# Its Application ID URI must be "+resource+
			": App registrations, the application, Expose an API.")
	}
	scopes := fmt.Sprintf(scopesExposed, scopeID(id, name), name)
	return append(lines,
		fmt.Sprintf(has, id, "api.oauth2PermissionScopes[].value", name)+
			fmt.Sprintf(patchApplication, id, scopes),
		fmt.Sprintf(has, id, "api.preAuthorizedApplications[].appId", id)+
			fmt.Sprintf(patchApplication, id, fmt.Sprintf(clientsAllowed, name)))
}

// scopeID returns the id of a scope that setup exposes. It depends on the application and the
// scope's name alone, so it is the same everywhere (RFC 9562, version 5).
func scopeID(client, name string) string {
	// client is a GUID: the configuration was checked.
	space, _ := hex.DecodeString(strings.ReplaceAll(client, "-", ""))
	sum := sha1.Sum(append(space, name...))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
