// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
	"testing"
)

func TestParseScope(t *testing.T) {
	const arm = "https://management.azure.com"
	tests := []struct {
		scope    string
		apps     []string
		granted  string
		audience string
		baseline bool
	}{
		{"openid profile", []string{GraphApp}, "openid profile email",
			"https://graph.microsoft.com", true},
		{"openid profile offline_access email", []string{GraphApp}, "openid profile email",
			"https://graph.microsoft.com", true},
		{"User.Read GroupMember.Read.All", []string{GraphApp}, "User.Read GroupMember.Read.All",
			"https://graph.microsoft.com", true},
		{"https://graph.microsoft.com/User.Read openid", []string{GraphApp},
			"openid email https://graph.microsoft.com/User.Read", "https://graph.microsoft.com",
			true},
		{"openid User.Read Mail.Read", []string{GraphApp}, "openid email User.Read Mail.Read",
			"https://graph.microsoft.com", false},
		{"openid profile " + myApp + "/sign-in", []string{myApp}, myApp + "/sign-in", myApp, false},
		{"openid " + strings.ToUpper(myApp) + "/sign-in", []string{myApp}, strings.ToUpper(myApp) +
			"/sign-in", myApp, false},
		{"openid api://" + myApp + "/sign-in", []string{myApp}, "api://" + myApp + "/sign-in",
			myApp, false},
		{myApp + "/.default", []string{myApp}, myApp + "/.default", myApp, false},
		{"openid " + arm + "/user_impersonation", []string{ARMApp}, arm + "/user_impersonation " +
			arm + "/.default", arm, false},
		{arm + "//.default", []string{ARMApp}, arm + "//.default", arm + "/", false},
		{"https://127.0.0.1:8443/user_impersonation", []string{ARMApp},
			"https://127.0.0.1:8443/user_impersonation https://127.0.0.1:8443/.default",
			"https://127.0.0.1:8443", false},
		{"User.Read " + myApp + "/sign-in", []string{GraphApp, myApp}, "User.Read " + myApp +
			"/sign-in", "https://graph.microsoft.com", false},
		{arm + "/user_impersonation " + myApp + "/sign-in", []string{ARMApp, myApp},
			arm + "/user_impersonation " + arm + "/.default " + myApp + "/sign-in", arm, false},
	}
	for _, test := range tests {
		a, problem := Contoso().parseScope(test.scope, "127.0.0.1:8443")
		if problem != nil {
			t.Errorf("%s: %v", test.scope, problem)
			continue
		}
		if !slices.Equal(a.apps(), test.apps) || a.audience() != test.audience ||
			a.baseline() != test.baseline {
			t.Errorf("%s: apps %v, audience %s, baseline %v", test.scope, a.apps(),
				a.audience(), a.baseline())
		}
		if got := a.granted(); got != test.granted {
			t.Errorf("%s: granted %q, want %q", test.scope, got, test.granted)
		}
	}
}

func TestParseScopeProblems(t *testing.T) {
	for scope, want := range map[string]int{
		"openid " + myApp + "/other":             650053,
		"openid api://" + myApp + "/Sign-In":     650053, // scopes are case-sensitive
		"openid sign-in":                         650053, // without a resource it is a scope of Graph
		"openid Profile":                         650053,
		"message_all":                            650053,
		"https://management.azure.com/read":      650053,
		"openid api://somebody-else/sign-in":     500011,
		otherApp + "/sign-in":                    500011,
		"https:///user_impersonation":            500011,
		"http://management.azure.com/x":          500011,
		"https://graph.microsoft.com.example/.x": 500011,
		myApp + "/":                              70011,
		".default":                               70011,
		"/":                                      70011,
	} {
		if a, problem := Contoso().parseScope(scope, "h"); problem == nil ||
			problem.aadsts != want {
			t.Errorf("%s: %+v, %+v; want %d", scope, a, problem, want)
		}
	}
}

// FuzzScope checks that no word of a scope is lost or invented.
func FuzzScope(f *testing.F) {
	for _, s := range []string{"openid profile", "openid " + myApp + "/sign-in",
		"User.Read api://" + myApp + "/sign-in", "https://management.azure.com//.default", "/", " ",
		"\x00/."} {
		f.Add(s)
	}
	d := Contoso()
	f.Fuzz(func(t *testing.T, text string) {
		a, problem := d.parseScope(text, "127.0.0.1:8443")
		if problem != nil {
			if problem.aadsts == 0 || problem.text == "" || len(a.permissions()) > 0 {
				t.Errorf("%q: %+v beside %+v", text, problem, a)
			}
			return
		}
		words := slices.Clone(a.oidc)
		for _, r := range a.resources {
			for _, name := range r.scopes {
				if r.prefix == "" {
					words = append(words, name)
				} else {
					words = append(words, r.prefix+"/"+name)
				}
			}
		}
		want := strings.Fields(text)
		slices.Sort(words)
		slices.Sort(want)
		if !slices.Equal(words, want) || len(a.permissions()) != len(want) || len(a.apps()) == 0 {
			t.Errorf("%q became %+v", text, a)
		}
	})
}
