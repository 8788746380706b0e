// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"fmt"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/oauth"
	"aadlogin/internal/rbac"
)

// person is whom a source is asked about, and what their sign-in has brought that a source may need. When nobody has signed in
// (the account phase), there is an object id and nothing else.
type person struct {
	objectID string
	roles    []string // app roles, of the verified ID token
	token    string   // their own access token for Resource Manager; asked for by deviceScopes only
}

// authorize asks whether the person may log in to this machine, once more where it turns out to have been moved.
func (a *attempt) authorize(ctx context.Context, c *cloud, p person) (rbac.Decision, error) {
	source, err := a.source(c, p)
	if err != nil {
		return rbac.Decision{}, err
	}
	a.asked = a.moment()
	if a.cfg.Authorization.Source == config.AppRoles {
		a.asked = a.browser // the answer is in the token
	} else {
		begun := a.Now()
		defer func() { a.event.azureTook = a.since(begun) }()
	}
	facts, err := source.Ask(ctx, rbac.Question{Resource: c.resource, ObjectID: p.objectID})
	if now, moved := a.movedTo(ctx, c, err); moved {
		c.resource = now
		facts, err = source.Ask(ctx, rbac.Question{Resource: c.resource, ObjectID: p.objectID})
	}
	if err != nil {
		return rbac.Decision{}, err
	}
	return rbac.Decide(facts), nil
}

// source is the one that the configuration names.
func (a *attempt) source(c *cloud, p person) (rbac.Source, error) {
	arm := &azure.ARM{Endpoint: c.azure.ResourceManager, HTTP: c.http, Bearer: c.bearer}
	switch source := a.cfg.Authorization.Source; source {
	case config.CheckAccess:
		return rbac.CheckAccess{ARM: arm}, nil
	case config.RoleAssignments:
		return rbac.RoleAssignments{ARM: arm}, nil
	case config.Permissions:
		arm.Bearer = func(context.Context) (string, error) { return p.token, nil }
		return rbac.Permissions{ARM: arm}, nil
	case config.AppRoles:
		return rbac.AppRoles{Roles: p.roles}, nil
	default:
		return nil, fmt.Errorf("signin: authorization source %q is not known", source)
	}
}

// deviceScopes are what is asked for besides openid and profile: nothing, the application's own scope, or that of Resource
// Manager where the person's token must be good there. Never two of them: one request serves one resource, and for two Entra ID
// lets the person through the browser and then answers AADSTS28000. The audience of Resource Manager ends with a slash; a scope
// with two would be for another resource.
func (a *attempt) deviceScopes(c *cloud) []string {
	switch {
	case a.cfg.Authorization.Source == config.Permissions:
		return []string{strings.TrimSuffix(c.azure.Audience, "/") + "/user_impersonation"}
	case a.cfg.SignIn.Scope != "":
		return []string{a.cfg.SignIn.Scope}
	default:
		return nil
	}
}

// noteScope tells of an answer that does not list the application's own scope: policies that are aimed at the application may
// not have seen the sign-in. It refuses nobody: how Entra ID spells scopes is its own business.
func (a *attempt) noteScope(t *oauth.Tokens) {
	if scope := a.cfg.SignIn.Scope; scope != "" && !t.HasScope(scope) {
		a.log(LogWarning, "scope-not-granted", "requested_scope", scope, "granted_scope", t.Scope)
	}
}

// byLastGrant is the account phase of a source that cannot be asked about a person who is not there: what they were granted
// when they last signed in with a browser holds for the grant's lifetime, and is not extended by its use.
func (a *attempt) byLastGrant(acct account.Account) error {
	return a.letInByLastGrant(acct, a.refuse(Denied, "Whether you may sign in to this machine can only be asked with a browser, and no "+
		"earlier sign-in with one covers this. Sign in once without a key.", "no-last-grant",
		"source", a.cfg.Authorization.Source, "fix", "sign in with a browser; authorization.grant_lifetime says for how long that counts, "+
			"grant_covers_administrators whether for administrators"))
}

// actions are what the source calls a login, and one as administrator.
func (a *attempt) actions(c *cloud) rbac.Actions {
	if a.cfg.Authorization.Source == config.AppRoles {
		return rbac.Actions{Login: rbac.AppRoleLogin, LoginAsAdmin: rbac.AppRoleLoginAsAdmin}
	}
	return c.resource.Actions()
}
