// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"slices"
	"strconv"
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

// Every error that Microsoft documents for this grant, with each of its AADSTS numbers: what happened, what to do, an id to
// quote, and a line of the log. 0 stands for no number.
func TestOAuthErrors(t *testing.T) {
	const (
		declined    = "The sign-in was declined in the browser."
		notAccepted = "The sign-in service did not accept this sign-in."
		application = "Tell the administrator of this machine: its application registration does not work."
		busy        = "The sign-in service is temporarily unavailable."
		unknown     = "The sign-in service refused this sign-in."
		ask         = "sk your administrator."
	)
	interaction := []string{"invalid_grant", "interaction_required"}
	client := []string{"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"}
	for _, row := range []struct {
		errors  []string
		aadsts  []int
		verdict Verdict
		what    string
		next    string
	}{
		{[]string{"authorization_declined", "access_denied"}, []int{0}, Refused, declined, "Try again if that was not meant."},
		{[]string{"expired_token"}, []int{0, 70019}, Refused, "The sign-in was not finished in the browser in time.",
			"your organisation may not allow device code sign-in: ask your administrator."},
		{[]string{"bad_verification_code"}, []int{0, 70018}, Refused,
			"The sign-in service did not accept the code it had given.", "Try again."},
		{interaction, []int{0, 99999}, Refused, notAccepted, ask},
		{interaction, []int{50072, 50074, 50076, 50079}, Refused, notAccepted,
			"complete it in the browser, or register one at https://aka.ms/mfasetup."},
		{interaction, []int{53000, 53001, 53002, 53003, 530032, 530035}, Refused, notAccepted,
			"device code sign-in may be blocked. Ask your administrator."},
		{interaction, []int{50097}, Refused, notAccepted,
			"a managed device, which device code sign-in cannot prove. Ask your administrator."},
		{interaction, []int{50057}, Refused, notAccepted, "The account is disabled. Ask your administrator."},
		{interaction, []int{50053}, Refused, notAccepted, "The account is locked. Try again later."},
		{interaction, []int{50055}, Refused, notAccepted, "The password has expired: change it first."},
		{interaction, []int{50105}, Refused, notAccepted, "not assigned to this application. Ask your administrator."},
		{interaction, []int{50020, 50034}, Refused, notAccepted,
			"does not exist in the directory of this machine. Try again with one that does."},
		{append(interaction, "consent_required"), []int{65001, 65004, 90094}, Refused, notAccepted,
			"must first consent to this application: ask for it."},
		{[]string{"consent_required"}, []int{0}, Refused, notAccepted, "must first consent to this application: ask for it."},
		{client, []int{0}, Misconfigured, application, ""},
		{client, []int{7000218}, Misconfigured, application,
			`Set "Allow public client flows" to yes in the application registration.`},
		{client, []int{700016}, Misconfigured, application, "client_id names no application of the tenant."},
		{client, []int{7000112}, Misconfigured, application, "The application is disabled in the tenant."},
		{client, []int{90002}, Misconfigured, application, "tenant_id names no tenant of this cloud."},
		{client, []int{90014}, Misconfigured, application, "report that to the authors of this software."},
		{client, []int{70011, 500011, 650057}, Misconfigured, application,
			"Give it the delegated permissions openid and profile of Microsoft Graph."},
		{[]string{"temporarily_unavailable", "server_error"}, []int{0, 90033, 50033, 90024, 90055}, Unreachable, busy,
			"Try again in a moment."},
		{[]string{"", "Access_Denied", "success", "\x1b[2J"}, []int{0}, Refused, unknown, ask},
	} {
		for _, code := range row.errors {
			for _, number := range row.aadsts {
				e := &devicecode.Error{Code: code, CorrelationID: "c0\x1b\n1", Description: "AADSTS1: \x1b secret"}
				logged := []string{"error", code, "aadsts", ""}
				if number != 0 {
					e.AADSTS = []int{1, number}
					logged[3] = "1," + strconv.Itoa(number)
				}
				a := &attempt{Request: Request{Attempt: ofOurs}}
				for _, err := range []error{a.noCode(e), a.notSignedIn(e), a.noCode(&devicecode.UnreachableError{Err: e})} {
					r := refused(t, err)
					next := row.next + "\nCorrelation ID: c0 1"
					if r.verdict != row.verdict || !strings.HasPrefix(r.person, row.what) || !strings.HasSuffix(r.person, next) {
						t.Errorf("%q AADSTS%d: %v %q, want %v %q … %q", code, number, r.verdict, r.person, row.verdict, row.what, next)
					}
					reason := "sign-in-refused"
					if code == "expired_token" {
						reason = "expired"
					}
					if !slices.Equal(r.pairs[:4], logged) || r.reason != reason || strings.Contains(r.Error(), "secret") {
						t.Errorf("%q AADSTS%d: log: %s", code, number, r.Error())
					}
				}
			}
		}
	}
}

// A number never decides: the verdict is the error's, whatever number comes with it.
func TestAADSTSDecidesNothing(t *testing.T) {
	a := &attempt{Request: Request{Attempt: ofOurs}}
	for _, h := range hints {
		for _, n := range h.numbers {
			for _, code := range []string{"invalid_grant", "invalid_client", "temporarily_unavailable", "anything"} {
				plain := refused(t, a.oauthRefused(&devicecode.Error{Code: code}))
				r := refused(t, a.oauthRefused(&devicecode.Error{Code: code, AADSTS: []int{n}}))
				if r.verdict != plain.verdict || !strings.Contains(r.person, h.hint) {
					t.Errorf("AADSTS%d turns %s from %v into %v %q", n, code, plain.verdict, r.verdict, r.person)
				}
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
