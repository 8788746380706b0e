// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// These are Microsoft's applications that a sign-in can be for, by the ids that policies use.
const (
	GraphApp     = "00000003-0000-0000-c000-000000000000" // Microsoft Graph
	DirectoryApp = "00000002-0000-0000-c000-000000000000" // Windows Azure Active Directory
	ARMApp       = "797f4846-ba00-4fd7-ba43-dac1f8f63013" // Windows Azure Service Management API: Resource Manager
)

// asked is the parsed scope parameter of a request. RFC 6749, Section 3.3.
type asked struct {
	oidc      []string // openid, profile, email, offline_access, which no resource has
	resources []resource
}

// A resource is an application whose scopes are asked for.
type resource struct {
	app    string   // its id
	prefix string   // as in the request; "" for the short form of Graph's scopes
	scopes []string // names, without the prefix
}

// A scopeProblem is the reason why Entra ID cannot serve a scope. The browser is told, and the
// machine is not.
type scopeProblem struct {
	aadsts int
	text   string
}

// openIDScopes are scopes that no resource has.
var openIDScopes = []string{"openid", "profile", "email", "offline_access"}

// graphScope matches the names of Graph's scopes, such as User.Read or Mail.Read.Shared.
var graphScope = regexp.MustCompile(`^[A-Z][A-Za-z]*(\.[A-Z][A-Za-z]*)+$`)

// parseScope parses a scope parameter. host is the one that the request was sent to. It serves
// Resource Manager as well.
func (d *Directory) parseScope(text, host string) (asked, *scopeProblem) {
	var a asked
	for _, word := range strings.Fields(text) {
		if slices.Contains(openIDScopes, word) {
			a.oidc = append(a.oidc, word)
			continue
		}
		prefix, name := "", word
		if i := strings.LastIndexByte(word, '/'); i >= 0 {
			prefix, name = word[:i], word[i+1:]
		}
		app, problem := d.resourceNamed(prefix, name, host)
		if problem != nil {
			return asked{}, problem
		}
		a.add(app, prefix, name)
	}
	return a, nil
}

// add adds a scope to the others of its resource.
func (a *asked) add(app, prefix, name string) {
	i := slices.IndexFunc(a.resources, func(r resource) bool {
		return r.app == app && r.prefix == prefix
	})
	if i < 0 {
		i = len(a.resources)
		a.resources = append(a.resources, resource{app: app, prefix: prefix})
	}
	a.resources[i].scopes = append(a.resources[i].scopes, name)
}

// resourceNamed finds the application that has a scope.
func (d *Directory) resourceNamed(prefix, name, host string) (app string, problem *scopeProblem) {
	known := name == ".default"
	switch {
	case prefix == "" && strings.HasPrefix(name, "."), name == "":
		return "", &scopeProblem{70011,
			fmt.Sprintf("The provided value for the input parameter 'scope' is not valid. The "+
				"scope '%s' is not valid.", name)}
	case prefix == "" || strings.EqualFold(prefix, GraphApp) ||
		prefix == "https://graph.microsoft.com":
		app, known = GraphApp, known || graphScope.MatchString(name) ||
			slices.Contains(openIDScopes, name)
	case d.isOwn(prefix):
		app, known = strings.ToLower(d.ClientID),
			known || slices.Contains(d.Registration.Scopes, name)
	case strings.EqualFold(prefix, ARMApp) || isARM(prefix, host):
		app, known = ARMApp, known || name == "user_impersonation"
	default:
		return "", &scopeProblem{500011,
			fmt.Sprintf("The resource principal named %s was not found in the tenant named %s.",
				prefix, d.TenantID)}
	}
	if !known {
		return "", &scopeProblem{650053,
			fmt.Sprintf("The application '%s' asked for scope '%s' that doesn't exist on the "+
				"resource '%s'.", d.application(), name, app)}
	}
	return app, nil
}

// isOwn reports whether a scope's prefix names this registration.
func (d *Directory) isOwn(prefix string) bool {
	return strings.EqualFold(prefix, d.ClientID) ||
		slices.Contains(d.Registration.IdentifierURIs, prefix)
}

// own returns the registration's own scopes among those asked for.
func (a asked) own(clientID string) []resource {
	return slices.DeleteFunc(slices.Clone(a.resources),
		func(r resource) bool { return !strings.EqualFold(r.app, clientID) })
}

// apps returns the ids of the applications that have the scopes, each once. Scopes without a
// resource are Graph's.
func (a asked) apps() []string {
	var ids []string
	for _, r := range a.resources {
		if !slices.Contains(ids, r.app) {
			ids = append(ids, r.app)
		}
	}
	if ids == nil {
		return []string{GraphApp}
	}
	return ids
}

// permissions returns every scope in the form that consent uses: the resource's id, a slash and the
// name.
func (a asked) permissions() []string {
	var all []string
	for _, name := range a.oidc {
		all = append(all, GraphApp+"/"+name)
	}
	for _, r := range a.resources {
		for _, name := range r.scopes {
			all = append(all, r.app+"/"+name)
		}
	}
	return all
}

// granted returns the scope member of the answer. Scopes without a resource are named only together
// with Graph's: they do not belong in a token for another resource.
// https://github.com/AzureAD/microsoft-authentication-library-for-android/issues/652
func (a asked) granted() string {
	var words []string
	if a.apps()[0] == GraphApp {
		words = slices.DeleteFunc(slices.Clone(a.oidc),
			func(w string) bool { return w == "offline_access" })
		if slices.Contains(words, "openid") && !slices.Contains(words, "email") {
			words = append(words, "email") // always comes with them
		}
	}
	for _, r := range a.resources {
		for _, name := range r.scopes {
			words = append(words, strings.TrimPrefix(r.prefix+"/"+name, "/"))
		}
		if def := r.prefix + "/.default"; r.app == ARMApp && !slices.Contains(words, def) {
			words = append(words, def)
		}
	}
	return strings.Join(words, " ")
}

// audience returns the resource that the access token is for.
func (a asked) audience() string {
	switch r := a.resources; {
	case len(r) == 0 || r[0].app == GraphApp:
		return "https://graph.microsoft.com"
	case r[0].app == ARMApp && r[0].prefix != ARMApp:
		return r[0].prefix
	default:
		return r[0].app
	}
}
