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

// person identifies the user to a source, with the token data that some sources need. In the
// account phase, where nobody has signed in, it is an object id and nothing else.
type person struct {
	objectID string
	roles    []string // app roles, of the verified ID token
	token    string   // their own access token for Resource Manager; asked for by deviceScopes only
}

// authorize asks whether the person may log in to this machine. It asks once more if the machine
// turns out to have been moved.
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

// source returns the source that the configuration names.
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

// deviceScopes returns the scopes to request besides openid and profile: none, the application's
// own, or that of Resource Manager if the person's token must be good there. There are never two:
// one request serves one resource, and for two Entra ID lets the person through the browser and
// then answers AADSTS28000. The audience of Resource Manager ends with a slash; a scope with two
// would be for another resource.
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

// noteScope logs that an answer does not list the application's own scope: policies for the
// application may not have seen the sign-in. It refuses nobody, because Entra ID may spell scopes
// as it likes.
func (a *attempt) noteScope(t *oauth.Tokens) {
	if scope := a.cfg.SignIn.Scope; scope != "" && !t.HasScope(scope) {
		a.log(LogWarning, "scope-not-granted", "requested_scope", scope, "granted_scope", t.Scope)
	}
}

// byLastGrant is the account phase of a source that cannot be asked about an absent person. What
// the last sign-in with a browser was granted holds for the grant's lifetime. Using it does not
// extend it.
func (a *attempt) byLastGrant(acct account.Account) error {
	otherwise := a.refuse(Denied,
		"Whether you may sign in to this machine can only be asked with a browser, and no "+
			"earlier sign-in with one covers this. Sign in once without a key.",
		"no-last-grant", "source", a.cfg.Authorization.Source,
		"fix", "sign in with a browser; authorization.grant_lifetime says for how long that "+
			"counts, grant_covers_administrators whether for administrators")
	return a.letInByLastGrant(acct, otherwise)
}

// actions returns what the source calls a login, and a login as administrator.
func (a *attempt) actions(c *cloud) rbac.Actions {
	if a.cfg.Authorization.Source == config.AppRoles {
		return rbac.Actions{Login: rbac.AppRoleLogin, LoginAsAdmin: rbac.AppRoleLoginAsAdmin}
	}
	return c.resource.Actions()
}
