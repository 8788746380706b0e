// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"aadlogin/internal/azure"
)

const (
	testVM  = "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"
	testOID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
)

func mustResource(t testing.TB, id string) Resource {
	t.Helper()
	r, err := ParseResource(id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// scripted is an ARM that gives one answer and remembers the question.
type scripted struct {
	body string
	err  error
	path string
	api  string
	sent string
}

func (s *scripted) Post(
	_ context.Context, path string, query url.Values, in any,
) (azure.Reply, error) {
	text, err := json.Marshal(in)
	s.path, s.api, s.sent = path, query.Encode(), string(text)
	return azure.Reply{Body: []byte(s.body), CorrelationID: "c0"}, errors.Join(err, s.err)
}

func TestCheckAccessRequest(t *testing.T) {
	arm := &scripted{body: "[]"}
	q := Question{mustResource(t, testVM), testOID}
	f, err := CheckAccess{arm}.Ask(t.Context(), q)
	if err != nil || f.CorrelationID != "c0" || f.Question != q {
		t.Errorf("%+v, %v", f, err)
	}
	if arm.path != testVM+"/providers/Microsoft.Authorization/checkAccess" ||
		arm.api != "api-version=2018-09-01-preview" {
		t.Errorf("asked %s ? %s", arm.path, arm.api)
	}
	want := `{"Subject":{"Attributes":{"ObjectId":"` + testOID +
		`","Groups":[],"xms-pasrp-retrievegroupmemberships":true}},` +
		`"Actions":[{"Id":"Microsoft.Compute/virtualMachines/login/action","IsDataAction":true,"Attributes":{}},` +
		`{"Id":"Microsoft.Compute/virtualMachines/loginAsAdmin/action","IsDataAction":true,"Attributes":{}}],` +
		`"Resource":{"Id":"` + testVM + `","Attributes":{}},"Environment":null}`
	if arm.sent != want {
		t.Errorf("sent %s\nwant %s", arm.sent, want)
	}
}

func TestCheckAccessCouldNotAsk(t *testing.T) {
	vm := mustResource(t, testVM)
	cause := &azure.Error{Status: 403}
	for name, test := range map[string]struct {
		question Question
		arm      *scripted
	}{
		"ARM refuses the machine": {Question{vm, testOID}, &scripted{err: cause}},
		"no resource":             {Question{Resource{}, testOID}, &scripted{body: "[]"}},
		"no object id":            {Question{vm, ""}, &scripted{body: "[]"}},
		"odd object id":           {Question{vm, testOID + "\n"}, &scripted{body: "[]"}},
	} {
		f, err := (CheckAccess{test.arm}).Ask(t.Context(), test.question)
		if err == nil || f.Evidence != nil {
			t.Errorf("%s: %+v", name, f)
		} else if test.arm.err != nil && !errors.Is(err, cause) {
			t.Errorf("%s: cause lost in %v", name, err)
		}
	}
}

func TestCheckAccessVectors(t *testing.T) {
	vm := mustResource(t, testVM)
	fill := strings.NewReplacer(
		"$login", vm.Actions().Login, "$admin", vm.Actions().LoginAsAdmin,
		"$yes", `"isDataAction":true,"accessDecision":"Allowed"`,
		"$no", `"isDataAction":true,"accessDecision":"NotAllowed"`)
	for _, lines := range vectors(t, "check-access.txt") {
		v := make(map[string]string)
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			v[name] = value
		}
		t.Run(v["name"], func(t *testing.T) {
			arm := &scripted{body: fill.Replace(v["answer"])}
			f, err := CheckAccess{arm}.Ask(t.Context(), Question{vm, testOID})
			if v["expect"] == "error" {
				if err == nil {
					t.Fatalf("facts %+v, want an error", f)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			check(t, Decide(f), v["expect"])
		})
	}
}

// check compares with "admin", "login <reason>" or "no <reason>".
func check(t *testing.T, d Decision, expect string) {
	t.Helper()
	word, reason, _ := strings.Cut(expect, " ")
	want := map[string]Decision{
		"admin": {Login: true, Admin: true},
		"login": {Login: true},
		"no":    {},
	}
	w, known := want[word]
	if !known {
		t.Fatalf("expect %q", expect)
	}
	if d.Login != w.Login || d.Admin != w.Admin || !strings.Contains(d.Reason, reason) ||
		(d.Reason == "") != (word == "admin") {
		t.Errorf("got %+v, want %s", d, expect)
	}
	if d.CorrelationID != "c0" {
		t.Errorf("correlation id %q", d.CorrelationID)
	}
}

// FuzzCheckAccess checks that a person who is let in was explicitly allowed, without a condition or
// a deny, and that every administrator is let in.
func FuzzCheckAccess(f *testing.F) {
	vm := mustResource(f, testVM)
	login, admin := vm.Actions().Login, vm.Actions().LoginAsAdmin
	f.Add(`[{"actionId":"` + login +
		`","isDataAction":true,"accessDecision":"Allowed"},{"actionId":"` + admin +
		`","isDataAction":true,"accessDecision":"Allowed"}]`)
	f.Add(`[{"actionId":"` + login +
		`","isDataAction":true,"accessDecision":"Allowed","denyAssignment":{}},{"actionId":"` +
		admin + `"}]`)
	f.Add(`[{"actionId":"x","accessDecision":"\u001b[2J"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		facts, err := CheckAccess{&scripted{body: body}}.Ask(t.Context(), Question{vm, testOID})
		if err != nil {
			return
		}
		d := Decide(facts)
		if d.Admin && !d.Login || (d.Reason == "") != d.Admin {
			t.Errorf("%+v", d)
		}
		if d.Login && strings.Count(strings.ToLower(body), `"allowed"`) == 0 &&
			!strings.Contains(body, `\u`) {
			t.Errorf("let in by %q", body)
		}
		for _, r := range d.Reason {
			if r < ' ' || r == 0x7f {
				t.Errorf("control character in reason %q", d.Reason)
			}
		}
	})
}
