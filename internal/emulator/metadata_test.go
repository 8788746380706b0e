// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"strings"
	"testing"
)

func TestInstance(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) { d.Machine.Tags = map[string]string{"b": "2", "a": "1"} })
	a := w.do("GET", w.MetadataURL()+"/metadata/instance/compute?api-version=2021-02-01", "", "Metadata", "true")
	m := a.object(t)
	want := map[string]string{
		"azEnvironment": "AzurePublicCloud", "resourceId": vm, "name": "demo-vm", "resourceGroupName": "demo",
		"subscriptionId": "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", "location": "westeurope",
		"vmId": "b1b1b1b1-cccc-dddd-eeee-f2f2f2f2f2f2", "vmScaleSetName": "",
	}
	for k, v := range want {
		if m[k] != v {
			t.Errorf("%s is %v, want %s", k, m[k], v)
		}
	}
	if !strings.Contains(a.body, `"tagsList":[{"name":"a","value":"1"},{"name":"b","value":"2"}]`) {
		t.Error(a.body)
	}
}

func TestIdentity(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Identities = append(d.Identities, Identity{Name: "second", ObjectID: newGUID(), ClientID: foreignTenant})
	})
	info := w.do("GET", w.MetadataURL()+"/metadata/identity/info?api-version=2018-02-01", "", "Metadata", "true")
	if info.object(t)["tenantId"] != w.directory().TenantID {
		t.Error(info.body)
	}
	base := w.MetadataURL() + "/metadata/identity/oauth2/token?api-version=2018-02-01"
	const arm = "&resource=https://management.azure.com/"
	tests := []struct {
		query  string
		status int
		client string
	}{
		{arm, 200, "11112222-bbbb-3333-cccc-4444dddd5555"},
		{arm + "&client_id=" + foreignTenant, 200, foreignTenant},
		{arm + "&client_id=x", 400, ""},
		{"", 400, ""},
	}
	for _, test := range tests {
		a := w.do("GET", base+test.query, "", "Metadata", "true")
		m := a.object(t)
		if a.status != test.status || test.client != "" && m["client_id"] != test.client {
			t.Errorf("%q: %d %s", test.query, a.status, a.body)
		}
		for k, v := range m {
			if _, ok := v.(string); !ok {
				t.Errorf("%s is %v, want a string", k, v)
			}
		}
	}
	w.change(func(d *Directory) { d.Identities[0].SystemAssigned = false })
	if a := w.do("GET", base+arm, "", "Metadata", "true"); a.object(t)["error_description"] != "Identity not found" {
		t.Error(a.body)
	}
}

// TestMetadataRefused covers what keeps a forwarded request, such as an SSRF
// hole would send, from the managed identity's token.
func TestMetadataRefused(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, method, query string
		header              []string
		status              int
	}{
		{"no header", "GET", "?api-version=2021-02-01", nil, 400},
		{"wrong header", "GET", "?api-version=2021-02-01", []string{"Metadata", "yes"}, 400},
		{"forwarded", "GET", "?api-version=2021-02-01", []string{"Metadata", "true", "X-Forwarded-For", "10.0.0.1"}, 400},
		{"no version", "GET", "", []string{"Metadata", "true"}, 400},
		{"no such version", "GET", "?api-version=1", []string{"Metadata", "true"}, 400},
		{"POST", "POST", "?api-version=2021-02-01", []string{"Metadata", "true"}, 405},
	}
	for _, test := range tests {
		for _, path := range []string{"/metadata/instance/compute", "/metadata/identity/info", "/metadata/identity/oauth2/token"} {
			a := w.do(test.method, w.MetadataURL()+path+test.query, "", test.header...)
			if a.status != test.status || a.object(t)["error"] == nil {
				t.Errorf("%s, %s: %d %s", test.name, path, a.status, a.body)
			}
		}
	}
	if a := w.do("GET", w.MetadataURL()+"/metadata/else", "", "Metadata", "true"); a.status != 404 {
		t.Errorf("unknown path: %d", a.status)
	}
}
