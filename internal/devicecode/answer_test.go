// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"
)

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
		got := retryAfter(&reply{header: http.Header{"Retry-After": {value}}}, now)
		if got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

func TestVerificationURIComplete(t *testing.T) {
	c, err := parseCode([]byte(`{"user_code":"A","device_code":"d","verification_uri":"http://127.0.0.1:8442/devicelogin",
		"verification_uri_complete":"file:///etc/passwd","expires_in":900}`))
	if err != nil || c.VerificationURIComplete != "" {
		t.Errorf("%q, %v", c.VerificationURIComplete, err)
	}
}

// FuzzJudge: only a whole answer with an ID token grants, only the two words
// of the RFC keep a poll going without an outage.
func FuzzJudge(f *testing.F) {
	for _, seed := range []string{
		`{"error":"authorization_pending","error_codes":[70016]}`,
		`{"error":"slow_down"}`,
		`{"error":1,"error_codes":"x"}`,
		`{"access_token":"a","id_token":"a.b.c"}`,
		`[]`, `null`, `{"error":"a\u001b[31m\n"}`,
	} {
		for _, status := range []int{200, 302, 400, 401, 403, 429, 500} {
			f.Add(status, []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		v, err := judge(&reply{status: status, body: body}, nil)
		switch v {
		case granted:
			if status != 200 || err != nil {
				t.Errorf("%d %q granted", status, body)
			}
		case pending, slower:
			if status < 400 || status >= 500 || err != nil {
				t.Errorf("%d %q keeps waiting", status, body)
			}
		default:
			if err == nil {
				t.Fatalf("%d %q: no reason", status, body)
			}
			for _, r := range err.Error() {
				if r < ' ' || r == 0x7f {
					t.Errorf("control character in %q", err)
				}
			}
		}
	})
}

func FuzzParseCode(f *testing.F) {
	f.Add([]byte(`{"user_code":"A","device_code":"d","verification_uri":"https://x","expires_in":900,"interval":5}`))
	f.Add([]byte(`{"user_code":"A","device_code":"d","verification_uri":"https://x","expires_in":1e300,"interval":-1}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := parseCode(body)
		if err != nil {
			return
		}
		if c.interval() < time.Second || c.lifetime() < time.Second || c.lifetime() > 24*time.Hour || c.DeviceCode == "" {
			t.Errorf("%+v", c)
		}
		if _, err := parseCode(c.forMSAL()); err != nil {
			t.Errorf("MSAL's copy: %v", err)
		}
	})
}

// FuzzAccept: whatever a token answer holds, nothing but its ID token goes on to MSAL, and only as JSON.
func FuzzAccept(f *testing.F) {
	f.Add([]byte(`{"id_token":"i.d.t","access_token":"a","scope":"openid x/y","refresh_token":"r"}`), true)
	f.Add([]byte(`{"id_token":"i","access_token":"a","scope":7}`), false)
	f.Add([]byte(`{"ID_TOKEN":"i","Access_Token":"a"}`), false)
	f.Fuzz(func(t *testing.T, body []byte, wanted bool) {
		d := &door{request: Request{Scopes: []string{"x/y"}, AccessToken: wanted}}
		text, err := d.accept(body)
		if err != nil {
			if !errors.Is(err, ErrUnusable) {
				t.Errorf("%v", err)
			}
			return
		}
		var answer map[string]any
		if json.Unmarshal(text, &answer) != nil || len(answer) != 4 || answer["access_token"] != "dropped" || answer["id_token"] != d.tokens.IDToken {
			t.Errorf("%q became %s", body, text)
		}
		if !wanted && d.tokens.AccessToken != "" || wanted && !d.tokens.Grants("x/y") {
			t.Errorf("%q: %+v", body, d.request)
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
		got, ok := parseError(&reply{status: 400, body: []byte(body)})
		if !ok || !slices.Equal(got.AADSTS, want) {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

// A number that passes, or asks for less, ends nothing; any other does.
func TestReconsider(t *testing.T) {
	r := Request{Passing: []int{90033}, Slower: []int{50196}}
	for number, want := range map[int]verdict{90033: outage, 50196: slower, 53003: failed, 0: failed} {
		if got, err := r.reconsider(failed, &Error{Code: "invalid_grant", AADSTS: []int{number}}); got != want || err == nil {
			t.Errorf("%d: %v, %v", number, got, err)
		}
	}
	if got, _ := r.reconsider(granted, nil); got != granted {
		t.Error(got)
	}
	if got, _ := r.reconsider(failed, ErrUnusable); got != failed {
		t.Error(got)
	}
}
