// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Data that nobody needs does not even get into the memory of MSAL.
func TestTokensAreDropped(t *testing.T) {
	tokens, text, err := Client{Scopes: []string{"x/sign-in"}}.Accept([]byte(`{"id_token":"i.d.t","access_token":"access-secret","refresh_token":"refresh-secret","scope":"openid"}`))
	if err != nil || strings.Contains(string(text), "secret") ||
		!strings.Contains(string(text), "i.d.t") || tokens.AccessToken != "" {
		t.Errorf("%s, %v", text, err)
	}
}

func TestHasScope(t *testing.T) {
	for granted, want := range map[string]bool{
		"": true, "openid profile": false, "openid x/sign-in": true, "SIGN-IN": true,
		"api://a/b/sign-in email": true, "x/sign-in-2": false,
	} {
		if got := (Tokens{Scope: granted}).HasScope("a/sign-in"); got != want {
			t.Errorf("%q: %t", granted, got)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		"-1":                            0,
		"999999999999":                  24 * time.Hour,
		"soon":                          0,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT": 0,
	} {
		got := (&Reply{Header: http.Header{"Retry-After": {value}}}).RetryAfter(now)
		if got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if got := (*Reply)(nil).RetryAfter(now); got != 0 {
		t.Error(got)
	}
}

// FuzzAccept checks that only the ID token of a token answer goes on to MSAL, and only as JSON.
func FuzzAccept(f *testing.F) {
	f.Add([]byte(`{"id_token":"i.d.t","access_token":"a","scope":"openid x/y","refresh_token":"r"}`), true)
	f.Add([]byte(`{"id_token":"i","access_token":"a","scope":7}`), false)
	f.Add([]byte(`{"ID_TOKEN":"i","Access_Token":"a"}`), false)
	f.Fuzz(func(t *testing.T, body []byte, wanted bool) {
		tokens, text, err := Client{Scopes: []string{"x/y"}, AccessToken: wanted}.Accept(body)
		if err != nil {
			if !errors.Is(err, ErrUnusable) {
				t.Errorf("%v", err)
			}
			return
		}
		var answer map[string]any
		if json.Unmarshal(text, &answer) != nil || len(answer) != 4 ||
			answer["access_token"] != "dropped" || answer["id_token"] != tokens.IDToken {
			t.Errorf("%q became %s", body, text)
		}
		if !wanted && tokens.AccessToken != "" || wanted && !tokens.HasScope("x/y") {
			t.Errorf("%q: %t", body, wanted)
		}
	})
}

// The numbers of an error count as text, too, and stand in its description if nowhere else.
func TestNumbersOfErrors(t *testing.T) {
	for body, want := range map[string][]int{
		`{"error":"x","error_codes":[53003,65001]}`:                                      {53003, 65001},
		`{"error":"x","error_codes":["53003"]}`:                                          {53003},
		`{"error":"x","error_codes":[],"error_description":"AADSTS50196: The server"}`:   {50196},
		`{"error":"x","error_codes":null,"error_description":"AADSTS7000218: The body"}`: {7000218},
		`{"error":"x","error_codes":[5.3e4,-1,{},"a"]}`:                                  nil,
		`{"error":"x","error_description":"see AADSTS50196"}`:                            nil,
		`{"error":"x","error_description":"AADSTS99999999999: x"}`:                       nil,
		`{"error":"x","error_codes":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}`:        nil,
	} {
		got, ok := parseError(&Reply{Status: 400, Body: []byte(body)})
		if !ok || !slices.Equal(got.AADSTS, want) {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}
