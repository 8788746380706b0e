// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// operation is one thing to ask Microsoft.Authorization about a resource.
type operation struct {
	method, version string
	free            bool // to everybody who has signed in
	answer          func(x *exchange, resource, name string)
}

// operations are those served, by their name in lower case, which is also the
// endpoint's in faults and in the request log.
var operations = map[string]operation{
	"checkaccess":     {http.MethodPost, "2018-09-01-preview", false, (*exchange).checkAccess},
	"roleassignments": {http.MethodGet, "2022-04-01", false, (*exchange).roleAssignments},
	"roledefinitions": {http.MethodGet, "2022-04-01", false, (*exchange).roleDefinition},
	"denyassignments": {http.MethodGet, "2022-04-01", false, (*exchange).denyAssignments},
	"permissions":     {http.MethodGet, "2022-04-01", true, (*exchange).permissions},
}

// split takes a URL's path apart: {resource}/providers/Microsoft.Authorization/{operation}
// or …/{operation}/{name}. ARM's paths are case-insensitive.
func split(path string) (resource, op, name string, ok bool) {
	const provider = "/providers/microsoft.authorization/"
	i := strings.LastIndex(asciiLower(path), provider)
	if i < 0 {
		return "", "", "", false
	}
	op, name, _ = strings.Cut(path[i+len(provider):], "/")
	op = asciiLower(op)
	_, ok = operations[op]
	return path[:i], op, name, ok && (name != "") == (op == "roledefinitions")
}

// asciiLower keeps every byte where it is, which strings.ToLower does not.
func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// armHandler serves the operations.
func (s *Server) armHandler() http.Handler {
	served := make(map[string]http.Handler)
	for name := range operations {
		served[name] = s.handle(name, (*exchange).arm)
	}
	unknown := s.handle("unknown", (*exchange).armUnknown)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, op, _, ok := split(r.URL.Path); ok {
			served[op].ServeHTTP(w, r)
			return
		}
		unknown.ServeHTTP(w, r)
	})
}

// identify gives the answer the ids by which support would find it.
func (x *exchange) identify() {
	x.Header().Set("x-ms-request-id", newGUID())
	x.Header().Set("x-ms-correlation-request-id", x.correlation("x-ms-correlation-request-id"))
	x.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	budget, left := "x-ms-ratelimit-remaining-subscription-global-reads", "3749"
	if x.r.Method != http.MethodGet {
		budget, left = "x-ms-ratelimit-remaining-subscription-global-writes", "2999"
	}
	x.Header().Set(budget, left)
}

// armUnknown answers what nobody serves here.
func (x *exchange) armUnknown() {
	x.identify()
	x.armError(http.StatusNotFound, "InvalidResourceType",
		fmt.Sprintf("The resource type could not be found for path '%s'.", x.r.URL.Path))
}

// arm answers an operation.
func (x *exchange) arm() {
	x.identify()
	resource, name, item, _ := split(x.r.URL.Path)
	op := operations[name]
	if x.r.Method != op.method {
		x.armError(http.StatusMethodNotAllowed, "HttpMethodNotSupported",
			"The HTTP method is not supported at this URL.")
		return
	}
	if x.armAuthorized(op, name, resource) {
		op.answer(x, resource, item)
	}
}

// armError answers as Resource Manager does.
func (x *exchange) armError(status int, code, message string) {
	x.noteError(code)
	if status == http.StatusUnauthorized {
		x.Header().Set("WWW-Authenticate",
			fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`, x.base(), x.dir.TenantID, message))
	}
	x.json(status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

// armAuthorized answers for itself unless the bearer token is for Resource
// Manager and its owner may ask this about the resource.
func (x *exchange) armAuthorized(op operation, name, resource string) bool {
	const unauthorized = http.StatusUnauthorized
	scheme, _, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	b, known := x.caller()
	switch {
	case x.r.Header.Get("Authorization") == "":
		x.armError(unauthorized, "AuthenticationFailed",
			"Authentication failed. The 'Authorization' header is missing.")
	case !strings.EqualFold(scheme, "Bearer") || !known:
		x.armError(unauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	case x.now.After(b.expires):
		x.armError(unauthorized, "ExpiredAuthenticationToken", "The access token expiry is past.")
	case !isARM(b.resource, x.r.Host):
		x.armError(unauthorized, "InvalidAuthenticationTokenAudience",
			"The access token has been obtained for wrong audience or resource.")
	case x.r.URL.Query().Get("api-version") == "":
		x.armError(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.")
	case x.r.URL.Query().Get("api-version") != op.version:
		x.armError(http.StatusBadRequest, "NoRegisteredProviderFound",
			fmt.Sprintf("No registered resource provider found for API version '%s' of %s. The "+
				"supported api-versions are '%s'.", x.r.URL.Query().Get("api-version"), name,
				op.version))
	case x.armThrottled(b.oid, resource):
	case !op.free && !x.mayRead(cmp.Or(b.like, b.oid), name, resource):
		x.armError(http.StatusForbidden, "AuthorizationFailed",
			fmt.Sprintf("The client '%s' with object id '%s' does not have authorization to "+
				"perform action 'Microsoft.Authorization/%s/read' over scope '%s' or the scope "+
				"is invalid.", b.oid, b.oid, name, resource))
	default:
		return true
	}
	return false
}

// caller is who the access token stands for.
func (x *exchange) caller() (bearer, bool) {
	_, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	return x.s.bearer(token)
}

func (x *exchange) mayRead(oid, what, resource string) bool {
	q := question{subject: x.dir.subject(oid), action: "Microsoft.Authorization/" + what + "/read",
		resource: resource}
	return x.dir.decide(q).word == "Allowed"
}

// isARM reports whether a token's resource is Resource Manager: one of the
// clouds', or this server.
func isARM(resource, host string) bool {
	u, err := url.Parse(resource)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return false
	}
	return slices.Contains([]string{
		host, "management.azure.com", "management.core.windows.net",
		"management.usgovcloudapi.net", "management.chinacloudapi.cn",
	}, u.Host)
}

// accessRequest is the body of checkAccess.
type accessRequest struct {
	Subject struct {
		Attributes struct {
			ObjectID string   `json:"ObjectId"`
			Groups   []string `json:"Groups"`
			Retrieve bool     `json:"xms-pasrp-retrievegroupmemberships"`
		}
	}
	Actions []struct {
		ID   string `json:"Id"`
		Data bool   `json:"IsDataAction"`
	}
	Resource struct {
		ID string `json:"Id"`
	}
}

// accessDecision is one element of the answer.
type accessDecision struct {
	ActionID   string              `json:"actionId"`
	Decision   string              `json:"accessDecision"`
	Data       bool                `json:"isDataAction"`
	Assignment *decidingAssignment `json:"roleAssignment"`
	Deny       *decidingDeny       `json:"denyAssignment"`
	Audit      []any               `json:"auditAssignments"`
	TTL        int                 `json:"timeToLiveInMs"`
}

type decidingAssignment struct {
	Delegated        string `json:"delegatedManagedIdentityResourceId"`
	ID               string `json:"id"`
	RoleDefinitionID string `json:"roleDefinitionId"`
	PrincipalID      string `json:"principalId"`
	PrincipalType    string `json:"principalType"`
	Scope            string `json:"scope"`
	Condition        string `json:"condition"`
	ConditionVersion string `json:"conditionVersion"`
	CanDelegate      bool   `json:"canDelegate"`
	Description      string `json:"description"`
}

type decidingDeny struct {
	ID                      string            `json:"id"`
	Name                    string            `json:"name"`
	Description             string            `json:"description"`
	Permissions             []block           `json:"permissions"`
	Scope                   string            `json:"scope"`
	DoNotApplyToChildScopes bool              `json:"doNotApplyToChildScopes"`
	Principals              []deniedPrincipal `json:"principals"`
	ExcludePrincipals       []deniedPrincipal `json:"excludePrincipals"`
	Condition               string            `json:"condition"`
	ConditionVersion        string            `json:"conditionVersion"`
	Effect                  *string           `json:"effect"` // null
	IsSystemProtected       string            `json:"isSystemProtected"`
}

// checkAccess answers whether the subject may do each of the actions.
func (x *exchange) checkAccess(resource, _ string) {
	var req accessRequest
	if err := x.decode(&req); err != nil {
		x.armError(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid: "+err.Error()+".")
		return
	}
	who := req.Subject.Attributes
	switch {
	case !isGUID(who.ObjectID):
		x.armError(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid: Subject.Attributes.ObjectId is not a GUID.")
		return
	case plainScope(req.Resource.ID) != plainScope(resource):
		x.armError(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid: Resource.Id is not the resource of the URL.")
		return
	}
	subject := append([]string{who.ObjectID}, who.Groups...)
	switch _, exists := x.dir.principal(who.ObjectID); {
	case who.Retrieve && exists:
		subject = append(subject, x.dir.memberOf(who.ObjectID)...)
	case who.Retrieve:
		// deleted, with nothing to retrieve. Inferred: Azure documents no answer about such an
		// object
		subject = nil
	}
	answer := []accessDecision{}
	for _, a := range req.Actions {
		v := x.dir.decide(question{subject, a.ID, a.Data, resource})
		answer = append(answer, accessDecision{
			ActionID: a.ID, Decision: v.word, Data: a.Data,
			Assignment: x.dir.deciding(v), Deny: x.dir.decidingDeny(v.deny),
			Audit: []any{}, TTL: 300000,
		})
	}
	x.json(http.StatusOK, answer)
}

// deciding describes the role assignment that allowed it, if one did.
func (d *Directory) deciding(v decision) *decidingAssignment {
	a := v.assignment
	if a == nil || d.BareDecisions {
		return nil
	}
	p := d.whoever(a.Principal)
	out := &decidingAssignment{
		ID: digest(p.oid, v.role.ID, a.Scope), RoleDefinitionID: bare(v.role.ID),
		PrincipalID: bare(p.oid), PrincipalType: p.kind, Scope: a.Scope, Condition: a.Condition,
	}
	if a.Condition != "" {
		out.ConditionVersion = "2.0"
	}
	return out
}

func (d *Directory) decidingDeny(y *Deny) *decidingDeny {
	if y == nil {
		return nil
	}
	what := Role{Actions: y.Actions, NotActions: y.NotActions, DataActions: y.DataActions,
		NotDataActions: y.NotDataActions}
	short := func(all []deniedPrincipal) []deniedPrincipal {
		for i := range all {
			all[i].ID = bare(all[i].ID)
		}
		return all
	}
	return &decidingDeny{
		ID: digest(y.Name, y.Scope), Name: y.Name, Scope: y.Scope,
		Permissions:             []block{what.block()},
		DoNotApplyToChildScopes: y.DoNotApplyToChildScopes, IsSystemProtected: "true",
		Principals: short(d.named(y.Principals)), ExcludePrincipals: short(d.named(y.Exclude)),
	}
}

// bare is a GUID as checkAccess writes it: 32 hexadecimal digits.
func bare(guid string) string { return strings.ReplaceAll(guid, "-", "") }

// digest is an identifier that stays the same as long as what it names does.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	return fmt.Sprintf("%x", sum[:16])
}
