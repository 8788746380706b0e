// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Metadata returns the handler of the instance metadata service, the device
// page and the control endpoints. A browser on another site cannot make it do
// anything: http.CrossOriginProtection refuses that.
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
	mux.Handle("GET /{$}", http.RedirectHandler(pagePath, http.StatusFound))
	s.control(mux)
	return http.NewCrossOriginProtection().Handler(mux)
}

var apiVersion = regexp.MustCompile(`^20\d\d-\d\d-\d\d$`)

// metadataAllowed answers for itself when the request is not a plain one from
// this machine. https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
func (x *exchange) metadataAllowed() bool {
	var problem string
	switch {
	case x.r.Method != http.MethodGet:
		x.metadataError(http.StatusMethodNotAllowed, "invalid_request", "Method not allowed")
		return false
	case !strings.EqualFold(x.r.Header.Get("Metadata"), "true"):
		problem = "Required metadata header not specified"
	case len(x.r.Header.Values("X-Forwarded-For")) > 0:
		problem = "The request was forwarded: X-Forwarded-For is not allowed"
	case x.r.URL.Query().Get("api-version") == "":
		problem = "Required query variable 'api-version' is missing"
	case !apiVersion.MatchString(x.r.URL.Query().Get("api-version")):
		problem = "The api-version is invalid"
	default:
		return true
	}
	x.metadataError(http.StatusBadRequest, "invalid_request", problem)
	return false
}

// metadataError answers as the metadata service does: identity in OAuth's
// shape, instance in one of its own.
func (x *exchange) metadataError(status int, word, text string) {
	x.noteError(word)
	if x.note.Endpoint == "instance" {
		x.json(status, map[string]any{"error": "Bad request. " + text, "newest-versions": []string{"2021-02-01"}})
		return
	}
	x.json(status, map[string]string{"error": word, "error_description": text})
}

// instance tells what the machine is. All values are strings.
func (x *exchange) instance() {
	if !x.metadataAllowed() {
		return
	}
	type tag struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	m := x.dir.Machine
	tags := []tag{}
	for k, v := range m.Tags {
		tags = append(tags, tag{k, v})
	}
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.Name, b.Name) })
	if m.Environment == "" {
		m.Environment = "AzurePublicCloud"
	}
	x.json(http.StatusOK, map[string]any{
		"azEnvironment":     m.Environment,
		"location":          m.Location,
		"name":              m.Name,
		"osType":            "Linux",
		"resourceGroupName": segmentAfter(m.ResourceID, "resourcegroups"),
		"resourceId":        m.ResourceID,
		"subscriptionId":    segmentAfter(m.ResourceID, "subscriptions"),
		"tagsList":          tags,
		"vmId":              m.VMID,
		"vmScaleSetName":    m.ScaleSet,
	})
}

// segmentAfter finds the value of a kind in a resource id.
func segmentAfter(id, kind string) string {
	parts := strings.Split(id, "/")
	for i := 1; i+1 < len(parts); i += 2 {
		if strings.EqualFold(parts[i], kind) {
			return parts[i+1]
		}
	}
	return ""
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

// identityToken gives the managed identity's token to whoever asks here.
func (x *exchange) identityToken() {
	if !x.metadataAllowed() {
		return
	}
	q := x.r.URL.Query()
	resource := q.Get("resource")
	if resource == "" {
		x.metadataError(http.StatusBadRequest, "invalid_request", "Required query variable 'resource' is missing")
		return
	}
	client := q.Get("client_id")
	i := slices.IndexFunc(x.dir.Identities, func(m Identity) bool {
		return strings.EqualFold(m.ClientID, client) || client == "" && m.SystemAssigned
	})
	if i < 0 {
		x.metadataError(http.StatusBadRequest, "invalid_request", "Identity not found")
		return
	}
	if x.onArc() && !x.arcAllowed() {
		return
	}
	m := x.dir.Identities[i]
	x.json(http.StatusOK, map[string]string{
		"access_token":   x.s.issueBearer(secret(), m.ObjectID, resource, x.now),
		"client_id":      m.ClientID,
		"expires_in":     "3599",
		"expires_on":     fmt.Sprint(x.now.Unix() + 3599),
		"ext_expires_in": "3599",
		"not_before":     fmt.Sprint(x.now.Unix()),
		"resource":       resource,
		"token_type":     "Bearer",
	})
}
