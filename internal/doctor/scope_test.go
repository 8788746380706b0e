// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"strings"
	"testing"

	"aadlogin/internal/config"
)

// Without a scope of its own, policies do not see the application. That is only worth a warning.
func TestScope(t *testing.T) {
	const id = "00001111-aaaa-2222-bbbb-3333cccc4444"
	for _, test := range []struct {
		scope, source string
		status        Status
		found         string
	}{
		{"", config.CheckAccess, Warning, "does not see this application"},
		{"", config.AppRoles, Warning, "does not see this application"},
		{id + "/sign-in", config.CheckAccess, OK, "sees this application by its scope " + id +
			"/sign-in"},
		{"", config.Permissions, OK, "sees Azure Resource Manager"},
	} {
		c := &config.Config{TenantID: "t", ClientID: id,
			Domains: []string{"a.example", "b.example"}, SignIn: config.SignIn{Scope: test.scope},
			Authorization: config.Authorization{Source: test.source}}
		got := (&Host{Config: c}).scope(t.Context())
		expect(t, got, test.status, test.found)
		want := "aadctl setup --tenant t --client " + id + " --domain a.example,b.example"
		if test.status == Warning && (got[0].Command != want || got[0].Fix == "") {
			t.Errorf("%+v", got)
		}
	}
}

// A trial that was skipped or met an outage is no reason for advice.
func TestAdvice(t *testing.T) {
	const id = "00001111-aaaa-2222-bbbb-3333cccc4444"
	yes, no := Trial{Done: true, Granted: true}, Trial{Done: true, Page: 53003}
	left, outage := Trial{}, Trial{Done: true, Err: errors.New("connection refused")}
	for _, test := range []struct {
		scope                string
		without, guid, byURI Trial
		status               Status
		found                string
	}{
		{"", yes, yes, yes, Warning, "Entra ID takes sign_in.scope = \"" + id + "/sign-in\""},
		{"", yes, no, yes, Warning, "Entra ID takes sign_in.scope = \"api://"},
		{"", no, yes, left, Warning, "without it nobody gets in"},
		{"", yes, left, left, Skipped, "too little was tried"},
		{"", yes, no, left, Warning, "leave sign_in.scope empty"},
		{"", no, left, left, Failed, "no form was accepted"},
		{"", no, no, no, Failed, "no form was accepted"},
		{"", left, left, left, Skipped, "nobody signed in"},
		{"", outage, left, left, Skipped, "too little was tried"},
		{"", yes, outage, left, Skipped, "too little was tried"},
		{id + "/sign-in", yes, yes, left, OK, "right as it is"},
		{id + "/sign-in", yes, left, left, Skipped, "too little was tried"},
		{id + "/sign-in", yes, outage, left, Skipped, "too little was tried"},
		{id + "/sign-in", yes, no, left, Failed, "only a sign-in without a scope"},
		{id + "/sign-in", yes, no, yes, Warning, "Entra ID takes sign_in.scope = \"api://"},
		{id + "/sign-in", no, no, left, Failed, "no form was accepted"},
		{id + "/sign-in", left, left, yes, Skipped, "too little was tried"},
		{"api://" + id + "/sign-in", yes, yes, yes, OK, "right as it is"},
	} {
		c := &config.Config{TenantID: "t", ClientID: id, Domains: []string{"a.example"},
			SignIn: config.SignIn{Scope: test.scope}}
		trials := []Trial{test.without, test.guid, test.byURI}
		for i, scope := range Forms(c) {
			trials[i].Scope = scope
		}
		all := (&Host{Config: c}).JudgeTenant(trials)
		if last := all[len(all)-1]; last.Status != test.status ||
			!strings.Contains(last.Found, test.found) {
			t.Errorf("%q %+v:\n%s", test.scope, trials, told(all...))
		}
		if test.guid == outage && all[1].Kind != Unreachable {
			t.Errorf("%+v", all[1])
		}
	}
}
