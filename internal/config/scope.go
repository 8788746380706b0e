// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"

	"aadlogin/internal/guid"
)

// ScopeName is the scope that "aadctl setup" gives to an application of its own.
const ScopeName = "sign-in"

// OwnScope is that scope in the form that names the application by its GUID.
func OwnScope(clientID string) string { return clientID + "/" + ScopeName }

// baseline are the scopes that Conditional Access takes for access to the
// directory, whatever application asks for them, in lower case. Source:
// Microsoft's "Enforcement for baseline scopes in Conditional Access".
var baseline = []string{
	"openid", "profile", "email", "offline_access",
	"user.read", "user.read.all", "user.readbasic.all", "people.read",
	"people.read.all", "groupmember.read.all", "member.read.hidden",
}

const scopeFix = `write one scope of the application's own: "<client_id>/` + ScopeName +
	`", or "api://<id or name>/` + ScopeName + `"`

// ownScope is one scope that an application exposes, with its resource before
// the last slash. It becomes part of a list that blanks separate.
func ownScope(s string) (string, *problem) {
	resource, name := "", s
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		resource, name = s[:i], s[i+1:]
	}
	lower := strings.ToLower(resource)
	switch {
	case strings.ContainsAny(s, " \t\n\r,;"):
		return "", wrong(quote(s)+" is more than one scope, or has a blank in it", scopeFix)
	case slices.Contains(baseline, strings.ToLower(name)):
		return "", wrong(quote(s)+" is a scope that every application has, "+
			"so that policies see the directory and not this application", scopeFix)
	case name == ".default":
		return "", wrong(quote(s)+" asks for every permission of the registration", scopeFix)
	case !isScopeName(name) || resource == "":
		return "", wrong(quote(s)+
			" is not a resource and the name of a scope, with a slash between", scopeFix)
	case guid.Is(lower):
		return lower + "/" + name, nil
	case !identifierURI().MatchString(resource):
		return "", wrong(quote(s)+" does not name an application as its resource", scopeFix)
	}
	return s, nil
}

// foreignScope looks for a scope that cannot be of client_id's application, or
// that the chosen source would not ask for: one request serves one resource.
func (c *Config) foreignScope() *Error {
	scope := c.SignIn.Scope
	if scope == "" {
		return nil
	}
	id := strings.ToLower(strings.TrimPrefix(scope[:strings.LastIndexByte(scope, '/')], "api://"))
	switch {
	case guid.Is(id) && id != c.ClientID:
		return wrong(quote(scope)+" is a scope of another application than client_id",
			`set it to "`+OwnScope(c.ClientID)+`"`).at("sign_in.scope", 0)
	case c.Authorization.Source == Permissions:
		return wrong(`is of no use with authorization.source "`+Permissions+
			`", which asks for Azure Resource Manager's scope and can ask for no second one`,
			"leave it empty; Conditional Access then sees Azure Resource Manager, "+
				"not this application").at("sign_in.scope", 0)
	}
	return nil
}
