// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// A recorded is an answer of the real services: its shape, and where and when public material
// quotes it. All values in it are invented.
type recorded struct {
	Source, Date string
	Status       int
	Bodies       []any // the emulator's answer must be like one of these
}

// TestEmulatorLooksReal compares the shapes of the emulator's answers with those of
// testdata/recorded: names, types, null or absent. The emulator gives an answer for every
// recording.
func TestEmulatorLooksReal(t *testing.T) {
	ours := realAnswers(t)
	files, err := os.ReadDir("testdata/recorded")
	if err != nil || len(files) != len(ours) {
		t.Errorf("%d recordings and %d answers: %v", len(files), len(ours), err)
	}
	for _, f := range files {
		text, err := os.ReadFile("testdata/recorded/" + f.Name())
		var want recorded
		if err != nil || json.Unmarshal(text, &want) != nil || want.Source == "" ||
			want.Date == "" || len(want.Bodies) == 0 {
			t.Fatalf("%s: %v", f.Name(), err)
		}
		name := strings.TrimSuffix(f.Name(), ".json")
		a := ours[name]
		var got any
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != want.Status {
			t.Errorf("%s: %d, want %d: %s", name, a.status, want.Status, a.body)
		}
		if problem := likeOne(got, want.Bodies, ""); problem != "" {
			t.Errorf("%s:%s", name, problem)
		}
	}
}

// likeOne is like with several possibilities.
func likeOne(got any, want []any, at string) (problem string) {
	for _, w := range want {
		if problem = like(got, w, at); problem == "" {
			return ""
		}
	}
	return problem
}

// like returns where a value has another shape than a recorded one.
func like(got, want any, at string) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		have, need := slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(w))
		if !slices.Equal(have, need) {
			return fmt.Sprintf("\n%s has %v\n%s want %v", at, have, at, need)
		}
		for _, name := range need {
			if problem := like(g[name], w[name], at+"."+name); problem != "" {
				return problem
			}
		}
		return ""
	case []any:
		g, ok := got.([]any)
		if !ok {
			break
		}
		for i := range g {
			if problem := likeOne(g[i], w, fmt.Sprintf("%s[%d]", at, i)); len(w) == 0 ||
				problem != "" {
				return fmt.Sprintf("\n%s[%d] is of no recorded shape%s", at, i, problem)
			}
		}
		return ""
	}
	if fmt.Sprintf("%T", got) != fmt.Sprintf("%T", want) {
		return fmt.Sprintf("\n%s is %T, want %T", at, got, want)
	}
	return ""
}

// The comparison finds differences.
func TestLike(t *testing.T) {
	for _, test := range []struct {
		got, want string
		ok        bool
	}{
		{`{"a":1}`, `{"a":2}`, true},
		{`{"a":1}`, `{"a":"2"}`, false},
		{`{"a":null}`, `{"a":"2"}`, false},
		{`{"a":"2"}`, `{"a":null}`, false},
		{`{}`, `{"a":null}`, false},
		{`{"a":1,"b":1}`, `{"a":1}`, false},
		{`[]`, `["a"]`, true},
		{`["b"]`, `[]`, false},
		{`[1,"b"]`, `["a",1]`, true},
		{`[{"a":1},{}]`, `[{"a":1}]`, false},
		{`[]`, `{}`, false},
		{`{}`, `[]`, false},
	} {
		var got, want any
		json.Unmarshal([]byte(test.got), &got)
		json.Unmarshal([]byte(test.want), &want)
		if problem := like(got, want, ""); (problem == "") != test.ok {
			t.Errorf("%s like %s: %s", test.got, test.want, problem)
		}
	}
}

// realAnswers asks the emulator for every answer that was recorded.
func realAnswers(t *testing.T) map[string]answer {
	w := newWorld(t)
	w.change(func(d *Directory) {
		d.Machine.Tags = map[string]string{"a": "b"}
		d.Denies = []Deny{{Name: "d", Principals: []string{nobody}, Exclude: []string{"Operators"},
			DataActions: []string{"*"}, Scope: "/"}}
	})
	entra := w.EntraURL() + "/" + w.directory().TenantID
	all := map[string]answer{
		"openid-common": w.do("GET",
			w.EntraURL()+"/common/v2.0/.well-known/openid-configuration", ""),
		"openid-tenant":    w.do("GET", entra+"/v2.0/.well-known/openid-configuration", ""),
		"keys":             w.do("GET", entra+"/discovery/v2.0/keys", ""),
		"devicecode":       w.form("devicecode", "client_id", myApp, "scope", "openid"),
		"devicecode-error": w.form("devicecode", "client_id", myApp),
		"instance":         w.metadata("instance/compute?api-version=2021-02-01"),
		"instance-version": w.metadata("instance/compute"),
		"identity":         w.metadata("identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"),
		"identity-error":   w.metadata("identity/oauth2/token?api-version=2018-02-01&resource=r&client_id=x"),
	}
	user, device := w.start("openid profile offline_access")
	w.SignIn(user, "user@contoso.example")
	all["token"] = w.poll(device)
	w.realDecisions(all)
	w.realRefusals(all)
	arc(w)
	all["arc-instance"], all["arc-version"] = w.metadata("instance/compute?api-version=2020-06-01"),
		w.metadata("instance/compute")
	return all
}

// realDecisions asks Resource Manager.
func (w *world) realDecisions(all map[string]answer) {
	bearer := "Bearer " + w.identityBearer()
	get := func(what string) answer {
		return w.do("GET", w.EntraURL()+vm+"/providers/Microsoft.Authorization/"+what,
			"", "Authorization", bearer)
	}
	all["roleassignments"] = get("roleAssignments?api-version=2022-04-01&$filter=atScope()+and+assignedTo('" + userOID + "')")
	all["roledefinition"] = get("roleDefinitions/fb879df8-f326-4884-b1cf-06f3ad86be52?api-version=2022-04-01")
	all["denyassignments"] = get("denyAssignments?api-version=2022-04-01&$filter=atScope()")
	all["permissions"] = get("permissions?api-version=2022-04-01")
	all["arm-error"] = w.do("POST", w.EntraURL()+"/subscriptions/x"+strings.TrimPrefix(askURL, vm),
		ask(userOID, true), "Authorization", bearer)
	nora, _ := w.directory().user(nobody)
	// There are an assignment, a deny, and null instead of an assignment.
	var decisions []json.RawMessage
	for _, oid := range []string{userOID, nora.ObjectID, userOID} {
		a := w.do("POST", w.EntraURL()+askURL, ask(oid, true), "Authorization", bearer)
		var some []json.RawMessage
		if err := json.Unmarshal([]byte(a.body), &some); err != nil {
			w.t.Fatal(err)
		}
		decisions = append(decisions, some...)
		w.change(func(d *Directory) { d.BareDecisions = true })
	}
	text, _ := json.Marshal(decisions)
	all["checkaccess"] = answer{status: 200, body: string(text)}
}

// realRefusals signs in where it is not allowed.
func (w *world) realRefusals(all map[string]answer) {
	for name, change := range map[string]func(*Directory){
		"policy-error": func(d *Directory) {
			d.Polling, d.Policies = "interaction_required",
				[]Policy{{Name: "codes", Grant: "block"}}
		},
		"consent-error": func(d *Directory) {
			d.Polling, d.Policies, d.Registration.ConsentRequired, d.UserConsent = "invalid_grant",
				nil, true, "none"
		},
	} {
		w.change(change)
		user, device := w.start("openid")
		w.SignIn(user, "user@contoso.example")
		all[name] = w.poll(device)
	}
}

// metadata asks the metadata service.
func (w *world) metadata(what string) answer {
	w.t.Helper()
	return w.do("GET", w.MetadataURL()+"/metadata/"+what, "", "Metadata", "true")
}
