// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An operation is one kind of question to Microsoft.Authorization about a resource.
type operation struct {
	method, version string
	free            bool // for everybody who has signed in
	answer          func(x *exchange, resource, name string)
}

// operations are the operations that are served, by name in lower case. Faults and the request log
// use the same names.
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

// asciiLower keeps every byte in its position, which strings.ToLower does not.
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

// identify adds the ids by which support would find the answer.
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

// armUnknown answers requests for operations that do not exist here.
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

// armError answers with an error in Resource Manager's form.
func (x *exchange) armError(status int, code, message string) {
	x.noteError(code)
	if status == http.StatusUnauthorized {
		x.Header().Set("WWW-Authenticate",
			fmt.Sprintf(`Bearer authorization_uri="%s/%s", error="invalid_token", error_description="%s"`, x.base(), x.dir.TenantID, message))
	}
	x.json(status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

// armAuthorized reports whether the bearer token is for Resource Manager and its owner may ask this
// about the resource. If not, it answers with the error.
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

// caller returns the owner of the access token.
func (x *exchange) caller() (bearer, bool) {
	_, token, _ := strings.Cut(x.r.Header.Get("Authorization"), " ")
	return x.s.bearer(token)
}

func (x *exchange) mayRead(oid, what, resource string) bool {
	q := question{subject: x.dir.subject(oid), action: "Microsoft.Authorization/" + what + "/read",
		resource: resource}
	return x.dir.decide(q).word == "Allowed"
}

// isARM reports whether a token's resource is Resource Manager, of one of the clouds or of this
// server.
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
