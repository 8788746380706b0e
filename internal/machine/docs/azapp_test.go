// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// This file is the part of the stand-in for the Azure CLI that knows the application: Microsoft
// Graph's application and service principal, as the emulator's directory has them.
const (
	azApplication           = "a44a44a4-0000-4000-8000-a1a1a1a1a1a1" // its object id
	azEnterpriseApplication = "5e5e5e5e-0000-4000-8000-e1e1e1e1e1e1"
)

// azScope is an entry of api.oauth2PermissionScopes.
// https://learn.microsoft.com/graph/api/resources/permissionscope
type azScope struct {
	ID                      string `json:"id"`
	Value                   string `json:"value"`
	Type                    string `json:"type"`
	IsEnabled               bool   `json:"isEnabled"`
	AdminConsentDisplayName string `json:"adminConsentDisplayName"`
	AdminConsentDescription string `json:"adminConsentDescription"`
	UserConsentDisplayName  string `json:"userConsentDisplayName"`
	UserConsentDescription  string `json:"userConsentDescription"`
}

// azClient is an entry of api.preAuthorizedApplications.
type azClient struct {
	AppID       string   `json:"appId"`
	Permissions []string `json:"delegatedPermissionIds"`
}

// azAPI holds what Graph keeps and the directory lacks: the full entries of its scopes and of other
// clients.
var azAPI struct {
	scopes  []azScope
	clients []azClient
}

var azAppCommands = map[string]azCommand{
	"ad app create": {
		[][]string{{"display-name"}},
		map[string]func(string) error{
			"display-name": given, "sign-in-audience": oneOf("AzureADMyOrg", "AzureADMultipleOrgs"),
			"is-fallback-public-client":  oneOf("true", "false"),
			"required-resource-accesses": isRequiredAccess, "app-roles": isAppRoles,
		}, createApplication},
	"ad app show": {[][]string{{"id"}}, map[string]func(string) error{"id": isClient},
		showApplication},
	"ad sp show": {[][]string{{"id"}}, map[string]func(string) error{"id": isGUID},
		showEnterprise},
	"ad sp create": {[][]string{{"id"}}, map[string]func(string) error{"id": isClient},
		createEnterprise},
	"ad app permission grant": {
		[][]string{{"id"}, {"api"}, {"scope"}},
		map[string]func(string) error{"id": isClient,
			"api": oneOf(emulator.GraphApp, emulator.Contoso().ClientID), "scope": given},
		grantPermission},
	"rest": {
		[][]string{{"method"}, {"url"}},
		map[string]func(string) error{"method": oneOf("GET", "POST", "PATCH"),
			"url": given, "body": given},
		func(a azArguments) (any, error) {
			switch a["method"] {
			case "GET":
				return customRoles(a)
			case "PATCH":
				return patchApplication(a)
			}
			return assignAppRole(a)
		}},
}

var isClient = oneOf(emulator.Contoso().ClientID)

// registered lets change see and change the directory's registration. If it gives consent, a
// request for consent must have come before.
func registered(change func(*emulator.Registration)) error {
	return rig.Entra.Update(func(d *emulator.Directory) {
		r := &d.Registration
		change(r)
		r.ConsentRequired = r.ConsentRequired || len(r.AdminConsent)+len(r.PreAuthorized) > 0
	})
}

func createApplication(a azArguments) (any, error) {
	if a["is-fallback-public-client"] != "true" || a["required-resource-accesses"] == "" {
		return nil, errors.New("people could not sign in to this application with a device code")
	}
	var roles []azAppRole
	if text := a["app-roles"]; text != "" {
		if err := azDecode(text, &roles); err != nil {
			return nil, err
		}
	}
	clear(azAppRoles)
	for _, r := range roles {
		azAppRoles[r.ID] = r.Value
	}
	azAPI.scopes, azAPI.clients = nil, nil
	err := registered(func(r *emulator.Registration) {
		*r = emulator.Registration{
			ForItself: r.ForItself, ConsentRequired: true, NoServicePrincipal: true,
		}
	})
	return map[string]any{"appId": emulator.Contoso().ClientID, "displayName": a["display-name"]},
		err
}

// showApplication returns the application. As in Graph, a list may be empty but is there.
func showApplication(azArguments) (any, error) {
	scopes, clients := []azScope{}, []azClient{}
	addresses := map[string]any{}
	err := registered(func(r *emulator.Registration) {
		for platform, list := range azPlatforms(r) {
			addresses[platform] = map[string]any{
				"redirectUris": plainJSON(append([]string{}, *list...)),
			}
		}
		for _, name := range r.Scopes {
			scopes = append(scopes, azScopeOf(name))
		}
		clients = append(clients, azAPI.clients...)
		if len(r.PreAuthorized) > 0 {
			own := azClient{AppID: emulator.Contoso().ClientID}
			for _, name := range r.PreAuthorized {
				own.Permissions = append(own.Permissions, azScopeOf(name).ID)
			}
			clients = append(clients, own)
		}
	})
	shown := map[string]any{"id": azApplication, "appId": emulator.Contoso().ClientID,
		"displayName": "aad-login", "api": map[string]any{
			"oauth2PermissionScopes":    plainJSON(scopes),
			"preAuthorizedApplications": plainJSON(clients)}}
	maps.Copy(shown, addresses)
	return shown, err
}

func azScopeOf(name string) azScope {
	i := slices.IndexFunc(azAPI.scopes, func(s azScope) bool { return s.Value == name })
	if i >= 0 {
		return azAPI.scopes[i]
	}
	s := azScope{
		fmt.Sprintf("50505050-0000-4000-8000-%012d", len(azAPI.scopes)), name, "User", true, name,
		name, name, name,
	}
	azAPI.scopes = append(azAPI.scopes, s)
	return s
}

// plainJSON returns a value as a JSON decoder yields it.
func plainJSON(v any) (plain any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err != nil {
		panic(err)
	}
	return plain
}

// patchApplication replaces a whole list. A scope that is enabled and not in the list would be
// deleted, which Graph refuses. A client can be pre-authorized for a scope that is exposed already,
// and not in the same request. https://learn.microsoft.com/graph/api/application-update
func patchApplication(a azArguments) (any, error) {
	if want := "https://graph.microsoft.com/v1.0/applications/" + azApplication; a["url"] != want {
		return nil, fmt.Errorf("%s, want %s", a["url"], want)
	}
	var body struct {
		API struct {
			Scopes  []azScope  `json:"oauth2PermissionScopes"`
			Clients []azClient `json:"preAuthorizedApplications"`
		} `json:"api"`
		SPA          *azAddresses `json:"spa"`
		PublicClient *azAddresses `json:"publicClient"`
	}
	if err := azDecode(a["body"], &body); err != nil {
		return nil, err
	}
	var no error
	err := registered(func(r *emulator.Registration) {
		before := slices.Clone(azAPI.scopes)
		if body.API.Scopes != nil {
			no = replaceScopes(r, body.API.Scopes)
		}
		if body.API.Clients != nil && no == nil {
			no = replaceClients(r, before, body.API.Clients)
		}
		if no == nil {
			no = replaceAddresses(r, map[string]*azAddresses{
				"spa":          body.SPA,
				"publicClient": body.PublicClient,
			})
		}
	})
	return map[string]any{}, errors.Join(no, err)
}

func replaceScopes(r *emulator.Registration, after []azScope) error {
	ids := map[string]bool{}
	var names []string
	for _, s := range after {
		if isGUID(s.ID) != nil || ids[s.ID] || slices.Contains(names, s.Value) || s.Value == "" ||
			s.Type != "User" || !s.IsEnabled || s.AdminConsentDisplayName == "" ||
			s.AdminConsentDescription == "" {
			return fmt.Errorf("a scope twice, or incomplete: %+v", s)
		}
		ids[s.ID] = true
		names = append(names, s.Value)
	}
	for _, name := range r.Scopes {
		if !slices.Contains(after, azScopeOf(name)) {
			return errors.New("CannotDeleteOrUpdateEnabledEntitlement: Permission (scope or " +
				"role) cannot be deleted or updated unless disabled first.")
		}
	}
	azAPI.scopes, r.Scopes = after, names
	return nil
}

func replaceClients(r *emulator.Registration, known []azScope, after []azClient) error {
	r.PreAuthorized, azAPI.clients = nil, nil
	for _, c := range after {
		var names []string
		for _, id := range c.Permissions {
			i := slices.IndexFunc(known, func(s azScope) bool { return s.ID == id })
			if i < 0 {
				return fmt.Errorf("permission %s is of no scope", id)
			}
			names = append(names, known[i].Value)
		}
		if isGUID(c.AppID) != nil || len(names) == 0 {
			return fmt.Errorf("a client that is none, or for nothing: %+v", c)
		}
		if c.AppID == emulator.Contoso().ClientID {
			r.PreAuthorized = append(r.PreAuthorized, names...)
		} else {
			azAPI.clients = append(azAPI.clients, c)
		}
	}
	return nil
}
