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
	a := w.do("GET", w.MetadataURL()+"/metadata/instance/compute?api-version=2021-02-01", "",
		"Metadata", "true")
	m := a.object(t)
	want := map[string]string{
		"azEnvironment": "AzurePublicCloud", "resourceId": vm, "name": "demo-vm",
		"resourceGroupName": "demo",
		"subscriptionId":    "aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", "location": "westeurope",
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

// Metadata has the id of a flexible scale set, and the name and instance of a uniform one.
func TestInstanceOfAScaleSet(t *testing.T) {
	const compute = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.Compute/"
	w := newWorld(t)
	for id, want := range map[string]string{
		vm: "", compute + "virtualMachines/web_1a2b3c4d": compute + "virtualMachineScaleSets/web",
		compute + "virtualMachineScaleSets/web/virtualMachines/3": "",
	} {
		w.change(func(d *Directory) {
			if d.Machine.ResourceID, d.Machine.ScaleSet = id, "web"; id == vm {
				d.Machine.ScaleSet = ""
			}
		})
		m := w.do("GET", w.MetadataURL()+"/metadata/instance/compute?api-version=2021-02-01", "",
			"Metadata", "true").object(t)
		if set, ok := m["virtualMachineScaleSet"].(map[string]any); !ok || set["id"] != want ||
			m["resourceId"] != id || (m["vmScaleSetName"] == "") != (id == vm) {
			t.Errorf("%s: %v, %v", id, set, m["vmScaleSetName"])
		}
	}
}

func TestIdentity(t *testing.T) {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Identities = append(d.Identities,
			Identity{Name: "second", ObjectID: newGUID(), ClientID: foreignTenant})
	})
	info := w.do("GET", w.MetadataURL()+"/metadata/identity/info?api-version=2018-02-01", "",
		"Metadata", "true")
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
}

// The table says which token comes if the request names no identity, or one that does not exist.
func TestIdentityMeant(t *testing.T) {
	system := Identity{"s", "11111111-0000-0000-0000-000000000000",
		"aaaaaaaa-0000-0000-0000-000000000000", true, ""}
	one := Identity{"1", "22222222-0000-0000-0000-000000000000",
		"bbbbbbbb-0000-0000-0000-000000000000", false, ""}
	two := Identity{"2", "33333333-0000-0000-0000-000000000000",
		"cccccccc-0000-0000-0000-000000000000", false, ""}
	const multiple = "Multiple user assigned identities exist, please specify the clientId / " +
		"resourceId of the identity in the token request"
	tests := []struct {
		have   []Identity
		asked  string
		client string // the client id of the token
		error  string
	}{
		{nil, "", "", "Identity not found"},
		{nil, one.ClientID, "", "Identity not found"},
		{[]Identity{system}, "", system.ClientID, ""},
		{[]Identity{one}, "", one.ClientID, ""},
		{[]Identity{one}, two.ClientID, "", "Identity not found"},
		{[]Identity{one, two}, "", "", multiple},
		{[]Identity{one, two}, strings.ToUpper(two.ClientID), two.ClientID, ""},
		{[]Identity{one, system, two}, "", system.ClientID, ""},
	}
	w := newWorld(t)
	for _, test := range tests {
		w.change(func(d *Directory) { d.Identities, d.Assignments = test.have, nil })
		a := w.do("GET", w.MetadataURL()+
			"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=r&client_id="+
			test.asked, "", "Metadata", "true")
		m := a.object(t)
		if got, _ := m["client_id"].(string); got != test.client {
			t.Errorf("%d of %d, %q: %s", a.status, len(test.have), test.asked, a.body)
		}
		if got, _ := m["error_description"].(string); got != test.error ||
			(a.status == 400) != (test.error != "") {
			t.Errorf("%d identities, %q: %d %s", len(test.have), test.asked, a.status, a.body)
		}
	}
}

// Each service refuses unknown versions and lists those that it knows.
func TestMetadataVersions(t *testing.T) {
	w := newWorld(t)
	get := func(path, version string) answer {
		return w.do("GET", w.MetadataURL()+"/metadata/"+path+"?resource=r&api-version="+version, "",
			"Metadata", "true")
	}
	if a := get("instance/compute", "2021-02-02"); a.status != 400 ||
		!strings.Contains(a.body, `"newest-versions":["2025-04-07","2024-07-17","2024-03-15"]`) {
		t.Errorf("Azure: %d %s", a.status, a.body)
	}
	arc(w)
	for _, path := range []string{"instance/compute", "identity/oauth2/token"} {
		a := get(path, "2018-02-01")
		if a.status != 400 ||
			a.object(t)["error_description"] != "The api-version is invalid. Supported are "+
				"2021-02-01 2020-06-01 2019-11-01 2019-08-15" {
			t.Errorf("Arc: %d %s", a.status, a.body)
		}
	}
	a := get("instance/compute", "")
	if a.object(t)["error_description"] != "The api-version not specified. Supported are "+
		"2021-02-01 2020-06-01 2019-11-01 2019-08-15" {
		t.Errorf("Arc: %s", a.body)
	}
	w.change(func(d *Directory) { d.Machine.APIVersions = []string{"2019-11-01"} })
	if a := get("instance/compute", "2020-06-01"); a.status != 400 ||
		!strings.HasSuffix(a.object(t)["error_description"].(string), "Supported are 2019-11-01") {
		t.Errorf("older agent: %d %s", a.status, a.body)
	}
}

// TestMetadataRefused sends requests that an SSRF hole could forward. They must not get the managed
// identity's token.
func TestMetadataRefused(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, method, query string
		header              []string
		status              int
	}{
		{"no header", "GET", "?api-version=2021-02-01", nil, 400},
		{"wrong header", "GET", "?api-version=2021-02-01", []string{"Metadata", "yes"}, 400},
		{"forwarded", "GET", "?api-version=2021-02-01", []string{"Metadata", "true",
			"X-Forwarded-For", "10.0.0.1"}, 400},
		{"no version", "GET", "", []string{"Metadata", "true"}, 400},
		{"no such version", "GET", "?api-version=1", []string{"Metadata", "true"}, 400},
		{"POST", "POST", "?api-version=2021-02-01", []string{"Metadata", "true"}, 405},
	}
	for _, test := range tests {
		for _, path := range []string{"/metadata/instance/compute", "/metadata/identity/info",
			"/metadata/identity/oauth2/token"} {
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
