// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/devicecode"
)

const ofOurs = "b2b2b2b2-1111-4111-8111-000000000000" // the attempt's own id

func refused(t *testing.T, err error) *refusal {
	t.Helper()
	var r *refusal
	if !errors.As(err, &r) {
		t.Fatalf("%v is not a refusal", err)
	}
	return r
}

func TestOAuthErrors(t *testing.T) {
	const application = "Tell the administrator of this machine: its application registration does not work."
	for _, test := range []struct {
		code    string
		verdict Verdict
		person  string
	}{
		{"authorization_declined", Refused, "The sign-in was declined in the browser."},
		{"access_denied", Refused, "The sign-in was declined in the browser."},
		{"expired_token", Refused, "The code expired before the sign-in was finished. Try again."},
		{"bad_verification_code", Refused, "The sign-in service did not accept the code it had given. Try again."},
		{"invalid_grant", Refused, "The sign-in service did not accept this sign-in."},
		{"interaction_required", Refused, "The sign-in service did not accept this sign-in."},
		{"consent_required", Refused, "An administrator of your organisation must first consent to this application."},
		{"invalid_client", Misconfigured, application},
		{"unauthorized_client", Misconfigured, application},
		{"invalid_request", Misconfigured, application},
		{"invalid_scope", Misconfigured, application},
		{"temporarily_unavailable", Unreachable, "The sign-in service is temporarily unavailable. Try again in a moment."},
		{"", Refused, "The sign-in service refused this sign-in."},
		{"Access_Denied", Refused, "The sign-in service refused this sign-in."},
		{"success", Refused, "The sign-in service refused this sign-in."},
		{"\x1b[2J", Refused, "The sign-in service refused this sign-in."},
	} {
		t.Run(test.code, func(t *testing.T) {
			a := &attempt{Request: Request{Attempt: ofOurs}}
			r := refused(t, a.oauthRefused(&devicecode.Error{Code: test.code, CorrelationID: "c0\x1b\n1", Description: "AADSTS1: \x1b secret"}))
			if want := test.person + "\nCorrelation ID: c0 1"; r.verdict != test.verdict || r.person != want {
				t.Errorf("%v %q, want %v %q", r.verdict, r.person, test.verdict, want)
			}
			if r.reason != "sign-in-refused" || strings.Contains(r.Error(), "secret") {
				t.Errorf("log: %s", r.Error())
			}
		})
	}
}

// Every number with a hint, by a word of the hint. The error alone gives the verdict.
func TestAADSTSHints(t *testing.T) {
	words := map[int]string{
		50072: "aka.ms/mfasetup", 50074: "aka.ms/mfasetup", 50076: "aka.ms/mfasetup", 50079: "aka.ms/mfasetup",
		53000: "Conditional Access", 53001: "Conditional Access", 53002: "Conditional Access", 53003: "Conditional Access",
		530032: "Conditional Access", 530035: "Conditional Access",
		50097: "managed device", 50057: "disabled", 50053: "locked", 50055: "password has expired", 50105: "not assigned",
		50020: "does not exist in the directory", 50034: "does not exist in the directory",
		65001: "consent", 65004: "consent", 90094: "consent",
		7000218: "Allow public client flows", 700016: "client_id names no application", 7000112: "disabled in the tenant",
		90002: "tenant_id names no tenant",
	}
	for _, h := range hints {
		for _, n := range h.numbers {
			if words[n] == "" {
				t.Errorf("AADSTS%d has a hint, and no word to test it by", n)
			}
		}
	}
	for n, word := range words {
		for _, code := range []string{"invalid_grant", "invalid_client", "temporarily_unavailable", "anything"} {
			a := &attempt{Request: Request{Attempt: ofOurs}}
			plain := refused(t, a.oauthRefused(&devicecode.Error{Code: code}))
			r := refused(t, a.oauthRefused(&devicecode.Error{Code: code, AADSTS: []int{1, n}}))
			if r.verdict != plain.verdict {
				t.Errorf("AADSTS%d turns %s from %v into %v", n, code, plain.verdict, r.verdict)
			}
			if !strings.Contains(r.person, word) {
				t.Errorf("AADSTS%d: %q does not say %q", n, r.person, word)
			}
			if i := slices.Index(r.pairs, "aadsts"); i < 0 || !strings.HasPrefix(r.pairs[i+1], "1,") {
				t.Errorf("AADSTS%d: log: %s", n, r.Error())
			}
		}
	}
	for _, none := range [][]int{nil, {}, {0}, {-50076}, {5007}, {500760}} {
		if got := hintFor(none); got != "" {
			t.Errorf("%v: %q", none, got)
		}
	}
}

func TestConsentIsAskedForOnce(t *testing.T) {
	a := &attempt{Request: Request{Attempt: ofOurs}}
	r := refused(t, a.oauthRefused(&devicecode.Error{Code: "consent_required", AADSTS: []int{65001}}))
	if n := strings.Count(r.person, "consent"); n != 1 {
		t.Errorf("%q", r.person)
	}
}
