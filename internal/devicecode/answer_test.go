// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import (
	"fmt"
	"testing"
	"time"

	"aadlogin/internal/oauth"
)

func TestVerificationURIComplete(t *testing.T) {
	c, err := parseCode([]byte(`{"user_code":"A","device_code":"d","verification_uri":"http://127.0.0.1:8442/devicelogin",
		"verification_uri_complete":"file:///etc/passwd","expires_in":900}`))
	if err != nil || c.VerificationURIComplete != "" {
		t.Errorf("%q, %v", c.VerificationURIComplete, err)
	}
}

// FuzzClassify checks that only a complete answer with an ID token is success, and that only the
// two words of the RFC keep a poll going without an outage.
func FuzzClassify(f *testing.F) {
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
		of, err := Request{}.classify(&oauth.Reply{Status: status, Body: body}, nil)
		switch of {
		case issued:
			if status != 200 || err != nil {
				t.Errorf("%d %q issued", status, body)
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
		if c.interval() < time.Second || c.lifetime() < time.Second ||
			c.lifetime() > 24*time.Hour || c.DeviceCode == "" {
			t.Errorf("%+v", c)
		}
		if _, err := parseCode(c.forMSAL()); err != nil {
			t.Errorf("MSAL's copy: %v", err)
		}
	})
}

// A number that passes, or that asks for fewer polls, ends nothing. Any other number does.
func TestNumbersOfPolls(t *testing.T) {
	r := Request{Client: oauth.Client{Passing: []int{90033}}, Slower: []int{50196}}
	for number, want := range map[int]outcome{
		90033: outage,
		50196: slower,
		53003: failed,
		0:     failed,
	} {
		body := fmt.Appendf(nil, `{"error":"invalid_grant","error_codes":[%d]}`, number)
		got, err := r.classify(&oauth.Reply{Status: 400, Body: body}, nil)
		if got != want || err == nil {
			t.Errorf("%d: %v, %v", number, got, err)
		}
	}
}
