// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"aadlogin/internal/azure"
)

// answers is an ARM with the answers of a vector, on one host.
type answers map[string]string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.URL.Path, "/providers/Microsoft.Authorization/")
	operation, _, _ = strings.Cut(operation, "/")
	if r.URL.Query().Get("$skiptoken") == "2" {
		operation = "page 2"
	}
	body, status := a[operation], 200
	if n, err := strconv.Atoi(body); err == nil {
		body, status = "{}", n
	}
	if r.URL.Scheme != "https" || r.URL.Host != "arm.example" || body == "" {
		body, status = "nobody serves "+r.URL.String(), 418
	}
	return &http.Response{StatusCode: status, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (a answers) arm() *azure.ARM {
	return &azure.ARM{
		Endpoint: "https://arm.example",
		HTTP:     &http.Client{Transport: a},
		Bearer:   func(context.Context) (string, error) { return "token", nil },
	}
}

const (
	mine = `{"id":"a","properties":{"roleDefinitionId":"/x/roleDefinitions/1c0163c0-47e6-4577-8991-ea5c82e286e4","principalId":"$me",` +
		`"principalType":"User","scope":"$vm","condition":null}}`
	aDeny = `{"properties":{"denyAssignmentName":"d","scope":"$vm","doNotApplyToChildScopes":false,"permissions":[$all],` +
		`"principals":[{"id":"00000000-0000-0000-0000-000000000000","type":"SystemDefined"}],"excludePrincipals":[]}}`
	adminRole = `{"properties":{"roleName":"r","permissions":[$all]}}`
)

var changed = regexp.MustCompile(`\$(its|deny)\((.*)\)\]`)

// filled replaces the words that begin with a dollar.
func filled(t testing.TB, text string) string {
	t.Helper()
	text = changed.ReplaceAllStringFunc(text, func(s string) string {
		m := changed.FindStringSubmatch(s)
		base := map[string]string{"its": mine, "deny": aDeny}[m[1]]
		return with(t, base, m[2]) + "]"
	})
	text = strings.ReplaceAll(text, "$mine", mine)
	return strings.NewReplacer("$all", `{"dataActions":["*"],"notDataActions":[]}`, "$page2",
		"https://arm.example/x?$skiptoken=2",
		"$me", personOID, "$ME", strings.ToUpper(personOID), "$vm", testVM).Replace(text)
}

// with changes members of an entry's properties.
func with(t testing.TB, entry, members string) string {
	t.Helper()
	var e map[string]any
	if err := json.Unmarshal([]byte(strings.ReplaceAll(entry, "$all", `"$all"`)), &e); err != nil {
		t.Fatal(err)
	}
	err := json.Unmarshal([]byte("{"+members+"}"), ptr(e["properties"].(map[string]any)))
	if err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), `"$all"`, "$all")
}

func ptr[T any](v T) *T { return &v }

// ask asks about the person with the two sources of the machine, or with the person's own.
func (a answers) ask(t testing.TB) (Facts, error) {
	q := Question{mustResource(t, testVM), personOID}
	if a["permissions"] != "" {
		return Permissions{a.arm()}.Ask(context.Background(), q)
	}
	return RoleAssignments{a.arm()}.Ask(context.Background(), q)
}

func TestLists(t *testing.T) {
	for _, lines := range vectors(t, "lists.txt") {
		v := map[string]string{
			"assignments": `{"value":[$mine]}`,
			"role":        adminRole,
			"denies":      `{"value":[]}`,
		}
		for _, line := range lines {
			key, value, _ := strings.Cut(line, ": ")
			v[key] = value
		}
		t.Run(v["name"], func(t *testing.T) {
			a := answers{
				"roleAssignments": v["assignments"], "roleDefinitions": v["role"],
				"denyAssignments": v["denies"], "permissions": v["permissions"],
				"page 2": v["page 2"],
			}
			for key := range a {
				a[key] = filled(t, a[key])
			}
			want, why, _ := strings.Cut(v["expect"], " ")
			f, err := a.ask(t)
			d := Decide(f)
			got, because := word(d), d.Reason
			if err != nil {
				got, because = "error", err.Error()
				if d.Login {
					t.Errorf("let in by an error: %+v", d)
				}
			}
			if got != want || !strings.Contains(because, why) {
				t.Errorf("%s (%s), want %s", got, because, v["expect"])
			}
		})
	}
}

// pages answers roleAssignments with 50 pages of 100 entries. Only the last entry allows the login.
type pages struct {
	answers
	asked int
}

func (p *pages) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/roleAssignments") {
		return p.answers.RoundTrip(r)
	}
	p.asked++
	n, _ := strconv.Atoi(r.URL.Query().Get("$skiptoken"))
	entries := slices.Repeat([]string{p.answers["other"]}, 100)
	next := fmt.Sprintf(`,"nextLink":"https://arm.example%s?$skiptoken=%d"`, r.URL.Path, n+1)
	if n == 49 {
		entries[99], next = p.answers["mine"], ""
	}
	page := answers{"roleAssignments": `{"value":[` + strings.Join(entries, ",") + `]` + next + `}`}
	r = r.Clone(r.Context())
	r.URL.RawQuery = ""
	return page.RoundTrip(r)
}

// The thousands of assignments of a person come in many pages, and each page may hold the one that
// counts.
func TestManyPages(t *testing.T) {
	p := &pages{answers: answers{
		"mine":            filled(t, mine),
		"other":           filled(t, strings.Replace(mine, `"$vm"`, `"$vm2"`, 1)),
		"roleDefinitions": filled(t, adminRole),
		"denyAssignments": `{"value":[]}`,
	}}
	arm := p.arm()
	arm.HTTP.Transport = p
	f, err := RoleAssignments{arm}.Ask(t.Context(), Question{mustResource(t, testVM), personOID})
	if err != nil || p.asked != 50 || len(f.Evidence.(Assignments).Assignments) != 5000 {
		t.Fatalf("%d pages, %v", p.asked, err)
	}
	if d := Decide(f); !d.Admin || d.Scope != testVM {
		t.Errorf("%+v", d)
	}
}

// FuzzLists checks that a person who is let in was explicitly allowed by an answer that is one.
func FuzzLists(f *testing.F) {
	list := func(entry string) string { return filled(f, `{"value":[`+entry+`]}`) }
	f.Add(list("$mine"), filled(f, adminRole), list(""), "")
	f.Add(list("$mine"), filled(f, adminRole), list(aDeny), "")
	f.Add("", "", "", list("$all"))
	f.Add(`{"value":[null]}`, `{"properties":null}`,
		`{"value":[{"properties":{"principals":[{}]}}]}`, `{"value":[{"dataActions":["\u002a"]}]}`)
	f.Fuzz(func(t *testing.T, assignments, role, denies, permissions string) {
		a := answers{
			"roleAssignments": assignments, "roleDefinitions": role, "denyAssignments": denies,
			"permissions": permissions,
		}
		facts, err := a.ask(t)
		if err != nil {
			if facts.Evidence != nil {
				t.Errorf("an error and evidence: %v", err)
			}
			return
		}
		d := Decide(facts)
		if d.Admin && !d.Login || d.Reason == "" != d.Admin {
			t.Errorf("%+v", d)
		}
		granting := strings.ToLower(role + permissions)
		if d.Login && !strings.Contains(granting, "dataaction") &&
			!strings.Contains(granting, `\u`) {
			t.Errorf("let in by %q %q", role, permissions)
		}
		if strings.ContainsFunc(d.Reason, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("control character in reason %q", d.Reason)
		}
	})
}
