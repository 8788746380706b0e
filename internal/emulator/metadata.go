// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// Metadata returns the handler of the instance metadata service, the device page and the control
// endpoints. A browser on another site cannot make it do anything: http.CrossOriginProtection
// refuses that.
func (s *Server) Metadata() http.Handler {
	s.setUp()
	mux := http.NewServeMux()
	mux.Handle("/metadata/instance/compute", s.handle("instance", (*exchange).instance))
	mux.Handle("/metadata/identity/info", s.handle("info", (*exchange).identityInfo))
	mux.Handle("/metadata/identity/oauth2/token", s.handle("identity", (*exchange).identityToken))
	mux.Handle("/metadata/", s.handle("unknown", func(x *exchange) {
		x.metadataError(http.StatusNotFound, "not_found", "Not found")
	}))
	mux.Handle(pagePath, s.handle("page", (*exchange).page))
	mux.HandleFunc("GET "+signInPath+"{$}", s.signInPage)
	mux.HandleFunc("GET "+signInPath+"index.html", s.signInPage)
	mux.Handle("GET /{$}", http.RedirectHandler(pagePath, http.StatusFound))
	s.control(mux)
	return http.NewCrossOriginProtection().Handler(mux)
}

// signInPath is the address of SignInPage, which is also served as index.html. To Entra ID these
// are two addresses.
const signInPath = "/sign-in/"

// signInPage serves the page as a web server that knows nothing about its files.
func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) {
	page := s.SignInPage
	if s.PageFile != "" {
		page, _ = os.ReadFile(s.PageFile) // a missing file is answered with 404
	}
	if page == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Write(page)
}

// These are the versions that the two services know, newest first. Azure's are of 2025
// (MicrosoftDocs/azure-compute-docs pull request 289). An agent of Azure Arc listed the others in
// 2024 (rmbolger/Posh-ACME issue 562). Older agents know fewer (pull request 636 there).
var (
	azureVersions = []string{
		"2025-04-07", "2024-07-17", "2024-03-15", "2023-11-15", "2023-07-01", "2021-12-13",
		"2021-11-15", "2021-11-01", "2021-10-01",
		"2021-05-01", "2021-03-01", "2021-02-01", "2021-01-01", "2020-12-01", "2020-10-01",
		"2020-09-01", "2020-07-15", "2020-06-01",
		"2019-11-01", "2019-08-15", "2019-08-01", "2019-06-04", "2019-06-01", "2019-04-30",
		"2019-03-11", "2019-02-01", "2018-10-01",
		"2018-04-02", "2018-02-01", "2017-12-01", "2017-10-01", "2017-08-01",
		"2017-04-02", "2017-03-01",
	}
	arcVersions = []string{"2021-02-01", "2020-06-01", "2019-11-01", "2019-08-15"}
)

// versions returns the versions that this machine's service knows.
func (x *exchange) versions() []string {
	switch {
	case len(x.dir.Machine.APIVersions) > 0:
		return x.dir.Machine.APIVersions
	case x.onArc():
		return arcVersions
	default:
		return azureVersions
	}
}

// metadataAllowed reports whether the request is a plain one from this machine. If not, it answers
// with the error. https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
func (x *exchange) metadataAllowed() bool {
	if !x.proxied() {
		return false
	}
	version := x.r.URL.Query().Get("api-version")
	switch {
	case x.metadataThrottled():
	case x.r.Method != http.MethodGet:
		x.metadataError(http.StatusMethodNotAllowed, "invalid_request", "Method not allowed")
	case !strings.EqualFold(x.r.Header.Get("Metadata"), "true"):
		x.metadataError(http.StatusBadRequest, "invalid_request",
			"Required metadata header not specified")
	case len(x.r.Header.Values("X-Forwarded-For")) > 0:
		x.metadataError(http.StatusBadRequest, "invalid_request",
			"The request was forwarded: X-Forwarded-For is not allowed")
	case !slices.Contains(x.versions(), version):
		x.metadataError(http.StatusBadRequest, "invalid_request", x.versionProblem(version))
	default:
		return true
	}
	return false
}

// versionProblem returns each service's sentence about an unknown version.
func (x *exchange) versionProblem(version string) string {
	switch {
	case x.onArc() && version == "":
		return "The api-version not specified. Supported are " + strings.Join(x.versions(), " ")
	case x.onArc():
		return "The api-version is invalid. Supported are " + strings.Join(x.versions(), " ")
	case x.note.Endpoint == "instance":
		return "api-version is invalid or was not specified in the request. For more information " +
			"refer to aka.ms/azureimds"
	case version == "":
		return "Required query variable 'api-version' is missing"
	default:
		return "The api-version is invalid"
	}
}

// metadataError answers with an error in the service's form. For identity that is OAuth's form, and
// for Azure Arc's agent always. For the instance, Azure has one of its own.
func (x *exchange) metadataError(status int, word, text string) {
	x.noteError(word)
	switch v := x.versions(); {
	case x.note.Endpoint == "instance" && !x.onArc() && strings.HasPrefix(text, "api-version"):
		x.json(status, map[string]any{"error": "Bad request. " + text,
			"newest-versions": v[:min(3, len(v))]})
	case x.note.Endpoint == "instance" && !x.onArc():
		x.json(status, map[string]any{"error": "Bad request. " + text})
	default:
		x.json(status, map[string]string{"error": word, "error_description": text})
	}
}

func (x *exchange) identityInfo() {
	if x.onArc() {
		x.metadataError(http.StatusNotFound, "not_found", "Not found") // the agent has no such page
		return
	}
	if x.metadataAllowed() {
		x.json(http.StatusOK, map[string]string{"tenantId": x.dir.TenantID})
	}
}

// identityLife is the life of a managed identity's token.
const identityLife = 86399 * time.Second

// identityToken answers with a token of the managed identity.
func (x *exchange) identityToken() {
	if !x.metadataAllowed() {
		return
	}
	q := x.r.URL.Query()
	resource := q.Get("resource")
	if resource == "" {
		x.metadataError(http.StatusBadRequest, "invalid_request",
			"Required query variable 'resource' is missing")
		return
	}
	m, problem := x.dir.identity(q.Get("client_id"))
	if problem != "" {
		x.metadataError(http.StatusBadRequest, "invalid_request", problem)
		return
	}
	if x.onArc() && !x.arcAllowed() {
		return
	}
	life := fmt.Sprint(int(identityLife.Seconds()))
	x.json(http.StatusOK, map[string]string{
		"access_token": x.s.issueBearer(secret(), bearer{m.ObjectID, resource,
			x.now.Add(identityLife), m.like}, x.now),
		"client_id":      m.ClientID,
		"expires_in":     life,
		"expires_on":     fmt.Sprint(x.now.Add(identityLife).Unix()),
		"ext_expires_in": life,
		"not_before":     fmt.Sprint(x.now.Unix() - 300),
		"resource":       resource,
		"token_type":     "Bearer",
	})
}

// identity finds the managed identity for a request: the one with the client id. Without a client
// id it is the system's, or the only one that exists.
func (d *Directory) identity(clientID string) (Identity, string) {
	i := slices.IndexFunc(d.Identities, func(m Identity) bool {
		return strings.EqualFold(m.ClientID, clientID) || clientID == "" && m.SystemAssigned
	})
	switch {
	case i >= 0:
		return d.Identities[i], ""
	case clientID == "" && len(d.Identities) == 1:
		return d.Identities[0], ""
	case clientID == "" && len(d.Identities) > 1:
		return Identity{},
			"Multiple user assigned identities exist, please specify the clientId / resourceId " +
				"of the identity in the token request"
	default:
		return Identity{}, "Identity not found"
	}
}
