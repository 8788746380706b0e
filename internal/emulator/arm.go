// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// checkAccessPath ends the URL, after the resource id. ARM's paths are
// case-insensitive.
const checkAccessPath = "/providers/microsoft.authorization/checkaccess"

// checkedResource returns the resource of a URL that asks who has access to it.
func checkedResource(path string) (resource string, ok bool) {
	i := len(path) - len(checkAccessPath)
	if i < 0 || !strings.EqualFold(path[i:], checkAccessPath) {
		return "", false
	}
	return path[:i], true
}

// identify gives the answer the ids by which support would find it.
func (x *exchange) identify() {
	x.Header().Set("x-ms-request-id", newGUID())
	x.Header().Set("x-ms-correlation-request-id", x.correlation("x-ms-correlation-request-id"))
}

// armUnknown answers what nobody serves here.
func (x *exchange) armUnknown() {
	x.identify()
	x.armError(http.StatusNotFound, "InvalidResourceType", fmt.Sprintf("The resource type could not be found for path '%s'.", x.r.URL.Path))
}

// arm answers checkAccess.
func (x *exchange) arm() {
	x.identify()
	resource, _ := checkedResource(x.r.URL.Path)
	if x.r.Method != http.MethodPost {
		x.armError(http.StatusMethodNotAllowed, "HttpMethodNotSupported", "The HTTP method is not supported at this URL.")
		return
	}
	if x.armAuthorized(resource) {
		x.checkAccess(resource)
	}
}

// armError answers as Resource Manager does.
func (x *exchange) armError(status int, code, message string) {
	x.noteError(code)
	if status == http.StatusUnauthorized {
		x.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`, x.base(), x.dir.TenantID, message))
	}
	x.json(status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

// armAuthorized answers for itself unless the bearer token is for Resource
// Manager and its owner may read who has access to the resource.
func (x *exchange) armAuthorized(resource string) bool {
	const unauthorized = http.StatusUnauthorized
	scheme, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	b, known := x.s.bearer(token)
	switch {
	case x.r.Header.Get("Authorization") == "":
		x.armError(unauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
	case !strings.EqualFold(scheme, "Bearer") || !known:
		x.armError(unauthorized, "InvalidAuthenticationToken", "The access token is invalid.")
	case x.now.After(b.expires):
		x.armError(unauthorized, "ExpiredAuthenticationToken", "The access token expiry is past.")
	case !isARM(b.resource, x.r.Host):
		x.armError(unauthorized, "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource.")
	case x.r.URL.Query().Get("api-version") == "":
		x.armError(http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	case x.r.URL.Query().Get("api-version") != "2018-09-01-preview":
		x.armError(http.StatusBadRequest, "NoRegisteredProviderFound", fmt.Sprintf("No registered resource provider found for API version '%s' of checkAccess. The supported api-versions are '2018-09-01-preview'.", x.r.URL.Query().Get("api-version")))
	case !x.mayRead(b.oid, resource):
		x.armError(http.StatusForbidden, "AuthorizationFailed", fmt.Sprintf("The client '%s' with object id '%s' does not have authorization to perform action 'Microsoft.Authorization/checkAccess/read' over scope '%s' or the scope is invalid.", b.oid, b.oid, resource))
	default:
		return true
	}
	return false
}

func (x *exchange) mayRead(oid, resource string) bool {
	q := question{subject: x.dir.subject(oid), action: "Microsoft.Authorization/checkAccess/read", resource: resource}
	return x.dir.decide(q).decision == "Allowed"
}

// isARM reports whether a token's resource is Resource Manager: one of the
// clouds', or this server.
func isARM(resource, host string) bool {
	u, err := url.Parse(resource)
	if err != nil || u.Scheme != "https" {
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
	TTL        int                 `json:"timeToLiveInMs"`
}

type decidingAssignment struct {
	ID               string `json:"id"`
	RoleDefinitionID string `json:"roleDefinitionId"`
	PrincipalID      string `json:"principalId"`
	PrincipalType    string `json:"principalType"`
	Scope            string `json:"scope"`
	Condition        string `json:"condition"`
	ConditionVersion string `json:"conditionVersion"`
}

type decidingDeny struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Scope string `json:"scope"`
}

// checkAccess answers whether the subject may do each of the actions.
func (x *exchange) checkAccess(resource string) {
	var req accessRequest
	if err := x.decode(&req); err != nil {
		x.armError(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: "+err.Error()+".")
		return
	}
	who := req.Subject.Attributes
	switch {
	case !isGUID(who.ObjectID):
		x.armError(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: Subject.Attributes.ObjectId is not a GUID.")
		return
	case plainScope(req.Resource.ID) != plainScope(resource):
		x.armError(http.StatusBadRequest, "InvalidRequestContent", "The request content was invalid: Resource.Id is not the resource of the URL.")
		return
	}
	subject := append([]string{who.ObjectID}, who.Groups...)
	if who.Retrieve {
		subject = append(subject, x.dir.memberOf(who.ObjectID)...)
	}
	answer := []accessDecision{}
	for _, a := range req.Actions {
		v := x.dir.decide(question{subject, a.ID, a.Data, resource})
		answer = append(answer, accessDecision{
			ActionID: a.ID, Decision: v.decision, Data: a.Data,
			Assignment: x.dir.deciding(v), Deny: v.deny.deciding(), TTL: 300000,
		})
	}
	x.json(http.StatusOK, answer)
}

// deciding describes the role assignment that allowed it, if one did.
func (d *Directory) deciding(v verdict) *decidingAssignment {
	a := v.assignment
	if a == nil {
		return nil
	}
	p, ok := d.principal(a.Principal)
	if !ok {
		p = principal{oid: a.Principal, kind: "Unknown"} // deleted since
	}
	out := &decidingAssignment{
		ID: digest(p.oid, v.role.ID, a.Scope), RoleDefinitionID: bare(v.role.ID),
		PrincipalID: bare(p.oid), PrincipalType: p.kind, Scope: a.Scope, Condition: a.Condition,
	}
	if a.Condition != "" {
		out.ConditionVersion = "2.0"
	}
	return out
}

func (y *Deny) deciding() *decidingDeny {
	if y == nil {
		return nil
	}
	return &decidingDeny{ID: digest(y.Name, y.Scope), Name: y.Name, Scope: y.Scope}
}

// bare is a GUID as checkAccess writes it: 32 hexadecimal digits.
func bare(guid string) string { return strings.ReplaceAll(guid, "-", "") }

// digest is an identifier that stays the same as long as what it names does.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.Join(parts, "\x00"))))
	return fmt.Sprintf("%x", sum[:16])
}
