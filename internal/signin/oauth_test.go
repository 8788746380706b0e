// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/oauth"
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

// everyWord has each error that Microsoft documents for this authorization grant, and an unknown
// one.
var everyWord = []string{
	"authorization_declined", "access_denied", "expired_token", "bad_verification_code",
	"invalid_grant", "interaction_required", "consent_required", "invalid_client",
	"unauthorized_client", "invalid_request", "invalid_scope", "temporarily_unavailable",
	"server_error", "teapot",
}

// nextSteps are the ways to tell a person what to do next.
var nextSteps = []string{
	"try again", "ask your administrator", "ask for it", "administrator of this machine",
}

// The number decides what happened, whose fault it is and what to do, whatever word comes with it:
// 53003 has come with three words.
func TestNumbersDecideTheSentence(t *testing.T) {
	const (
		application = "Tell the administrator of this machine: its application registration does " +
			"not work. "
		busy       = "The sign-in service is temporarily unavailable. Try again in a moment."
		consenting = "An administrator of your organisation must first consent to this " +
			"application: ask for it."
		noDevice = "asks for a managed device, which device code sign-in cannot prove. Ask your " +
			"administrator."
		factor = "complete it in the browser, or register one at https://aka.ms/mfasetup."
	)
	for _, row := range []struct {
		numbers []int
		verdict Verdict
		said    string // a part
		fix     string // a part; "": none
	}{
		{[]int{53003, 530031, 530032, 530036, 50131}, Denied,
			"A Conditional Access policy of your organisation does not allow this sign-in; it " +
				"may block device codes.", "sign-in log"},
		{[]int{530035}, Denied,
			"The security defaults of your organisation do not allow this sign-in", "no exception"},
		{[]int{53000, 53001, 530002, 530003, 530033, 50097, 50005, 50129, 50187}, Denied, noDevice,
			"leave this application out"},
		{[]int{530004}, Denied, "does not trust those of other organisations", "cross-tenant"},
		{[]int{530084}, Denied, "tokens that are bound to a device, which neither", "sign_in.scope"},
		{[]int{53002, 53005, 53009, 530021}, Denied, "an approved or protected app",
			"leave this application out"},
		{[]int{50072, 50074, 50076, 50078, 50079, 500121}, Refused, factor, ""},
		{[]int{53004, 53010}, Denied, "A second factor must be registered first",
			"registering security information"},
		{[]int{50158}, Refused, "a further check, which was not completed", ""},
		{[]int{50177}, Denied, "a further check, which does not work for this account",
			"sign-in log"},
		{[]int{50057, 500571}, Denied, "The account is disabled. Ask your administrator.", ""},
		{[]int{135011, 700003}, Denied, "has disabled the device of this browser", "enable"},
		{[]int{50053}, Refused, "The account is locked, or the browser's address is blocked", ""},
		{[]int{50055, 50144, 50135}, Refused, "The password must be changed first.", ""},
		{[]int{50105}, Denied,
			"The account is not assigned to this application. Ask your administrator.",
			"Users and groups"},
		{[]int{50020, 50034, 500200, 500341, 51004, 16003, 90072}, Refused,
			"does not exist in the directory of this machine. Try again with one that does.",
			"guest"},
		{[]int{500021, 500212, 500213}, Denied, "do not allow accounts of the one in the other",
			"cross-tenant"},
		{[]int{53011, 530034}, Denied, "considered at risk", "Entra ID Protection"},
		{[]int{50133, 50173, 50089, 70043}, Refused, "The browser's session is no longer good.",
			""},
		{[]int{16000, 50058, 50140, 50199}, Refused,
			"A question in the browser was left unanswered.", ""},
		{[]int{70019}, Refused, "\"You don't have access to this\"", "aadctl check --tenant"},
		{[]int{70018}, Refused, "did not accept the code it had given. Try again.", ""},
		{[]int{65001, 90094, 90095, 90008}, Denied, consenting, "az ad app permission grant"},
		{[]int{65004}, Refused, "Consent to this application was declined in the browser.",
			"az ad app permission grant"},
		{[]int{7000218}, Misconfigured,
			application + `Set "Allow public client flows" to yes in the application registration.`,
			"public client"},
		{[]int{700016}, Misconfigured,
			application + "client_id names no application of the tenant.", "client_id"},
		{[]int{7000112}, Misconfigured, application + "The application is disabled in the tenant.",
			"disabled"},
		{[]int{90002}, Misconfigured, application + "tenant_id names no tenant of this cloud.",
			"tenant_id"},
		{[]int{90014, 900144}, Misconfigured,
			application + "The request was not well-formed: report that to the authors", "report"},
		{[]int{70011, 650053, 650057, 650056, 65005}, Misconfigured,
			application + "See that the registration exposes the scope", "sign_in.scope"},
		{[]int{500011, 650052}, Misconfigured,
			application + "The resource of its scope is unknown or disabled", "az ad sp create"},
		{[]int{90009}, Misconfigured,
			application + "Entra ID takes a scope of its own in the GUID form only",
			`"<client_id>/sign-in"`},
		{[]int{28000, 700022}, Misconfigured, application + "It asked for scopes of two resources",
			"sign_in.scope"},
		{[]int{90033, 50033, 90024, 90055, 90006}, Unreachable, busy, ""},
		{[]int{50196}, Unreachable, "Try again in a few minutes.", ""},
	} {
		for _, number := range row.numbers {
			for _, word := range everyWord {
				r := explained(t, word, 1, number)
				if r.verdict != row.verdict || !strings.Contains(r.person, row.said) {
					t.Errorf("%q AADSTS%d: %v %q, want %v %q", word, number, r.verdict,
						r.person, row.verdict, row.said)
				}
				if word == "access_denied" && row.numbers[0] != 65004 &&
					strings.Contains(r.person, "declined") {
					t.Errorf("AADSTS%d: nobody declined anything: %q", number, r.person)
				}
				fix := pairOf(r, "fix")
				if !strings.Contains(fix, row.fix) || (fix == "") != (row.fix == "") {
					t.Errorf("%q AADSTS%d: fix=%q, want %q", word, number, fix, row.fix)
				}
			}
		}
	}
}

// Without a known number, the word decides.
func TestWordsWithoutNumbers(t *testing.T) {
	for word, want := range map[string]struct {
		verdict Verdict
		said    string
	}{
		"authorization_declined": {Refused,
			"The sign-in was declined in the browser. Try again if that was not meant."},
		"access_denied": {Refused,
			"The sign-in was declined in the browser. Try again if that was not meant."},
		"expired_token": {Refused,
			"The sign-in was not finished in the browser in time."},
		"bad_verification_code": {Refused,
			"The sign-in service did not accept the code it had given. Try again."},
		"invalid_grant": {Refused,
			"The sign-in service did not accept this sign-in. Try again; if it stays, ask your " +
				"administrator."},
		"interaction_required": {Refused,
			"The sign-in service did not accept this sign-in. Try again; if it stays, ask your administrator."},
		"consent_required":    {Denied, "must first consent to this application: ask for it."},
		"invalid_client":      {Misconfigured, "its application registration does not work."},
		"unauthorized_client": {Misconfigured, "its application registration does not work."},
		"invalid_request":     {Misconfigured, "its application registration does not work."},
		"invalid_scope":       {Misconfigured, "its application registration does not work."},
		"temporarily_unavailable": {Unreachable,
			"The sign-in service is temporarily unavailable. Try again in a moment."},
		"server_error": {Unreachable,
			"The sign-in service is temporarily unavailable. Try again in a moment."},
		"": {Refused,
			"The sign-in service refused this sign-in. Try again; if it stays, ask your " +
				"administrator."},
		"Access_Denied": {Refused, "The sign-in service refused this sign-in."},
		"success":       {Refused, "The sign-in service refused this sign-in."},
		"\x1b[2J":       {Refused, "The sign-in service refused this sign-in."},
	} {
		for _, numbers := range [][]int{nil, {}, {0}, {99999}, {-50076}, {5007}, {500760}} {
			r := explained(t, word, numbers...)
			if r.verdict != want.verdict || !strings.Contains(r.person, want.said) {
				t.Errorf("%q %v: %v %q", word, numbers, r.verdict, r.person)
			}
		}
	}
}

// explained returns the refusal for an error. The refusal is the same before and after there is a
// code, and for any wrapping of the error.
func explained(t *testing.T, word string, numbers ...int) *refusal {
	t.Helper()
	e := &oauth.Error{
		Code: word, AADSTS: numbers, CorrelationID: "c0\x1b\n1",
		Description: "AADSTS1: \x1b secret",
	}
	a := &attempt{Request: Request{Attempt: ofOurs}}
	first := refused(t, a.oauthRefused(e))
	reason := "sign-in-refused"
	if strings.HasPrefix(first.person, "The sign-in was not finished") {
		reason = "expired"
	}
	logged := fmt.Sprint(numbers)
	for _, err := range []error{
		a.noCode(e), a.notSignedIn(e), a.noCode(&oauth.UnreachableError{Err: e}),
	} {
		r := refused(t, err)
		if r.verdict != first.verdict || r.person != first.person || r.reason != reason ||
			!strings.HasSuffix(r.person, "\nCorrelation ID: c0 1") {
			t.Errorf("%q %v: %v %q %s", word, numbers, r.verdict, r.person, r.reason)
		}
		if strings.Contains(r.Error(), "secret") || pairOf(r, "error") != word ||
			"["+strings.ReplaceAll(pairOf(r, "aadsts"), ",", " ")+"]" != logged {
			t.Errorf("%q %v: log: %s", word, numbers, r.Error())
		}
	}
	return first
}

func pairOf(r *refusal, key string) string {
	for i := 0; i+1 < len(r.pairs); i += 2 {
		if r.pairs[i] == key {
			return r.pairs[i+1]
		}
	}
	return ""
}

// The tables are complete: no number stands twice, each has a sentence with a next step, and none
// lets anybody in.
func TestTablesOfErrors(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range slices.Concat(byNumber, byWord, []answer{unknown}) {
		numbers := strings.Fields(strings.Trim(fmt.Sprint(a.numbers), "[]"))
		for _, key := range append(slices.Clone(a.words), numbers...) {
			if seen[key] {
				t.Errorf("%s is there twice", key)
			}
			seen[key] = true
		}
		if !slices.Contains([]Verdict{Refused, Denied, Unreachable, Misconfigured}, a.verdict) {
			t.Errorf("%v: verdict %v", a.numbers, a.verdict)
		}
		said := strings.ToLower(a.person + " " + a.fix)
		step := slices.ContainsFunc(nextSteps, func(next string) bool {
			return strings.Contains(said, next)
		})
		if !strings.ContainsAny(a.person[len(a.person)-1:], ".)") || !step {
			t.Errorf("%v %v: %q has no next step", a.numbers, a.words, a.person)
		}
		again := strings.Contains(a.person, "Try again") || strings.Contains(a.person, "try again")
		if again != (a.verdict == Refused || a.verdict == Unreachable) {
			t.Errorf("%v %v: %v, but %q", a.numbers, a.words, a.verdict, a.person)
		}
		if (a.poll != final) != (a.verdict == Unreachable && a.words == nil) {
			t.Errorf("%v: %v is polled again as %d", a.numbers, a.verdict, a.poll)
		}
	}
	if len(seen) < 120 {
		t.Errorf("only %d numbers and words", len(seen))
	}
}

// A number that passes does not end the wait, whatever word comes with it, and "slower" is obeyed.
func TestNumbersThatWait(t *testing.T) {
	t.Parallel()
	for _, fault := range []emulator.Fault{
		{Error: "invalid_grant", AADSTS: 50196}, {Error: "invalid_request", AADSTS: 90033},
		{Error: "invalid_grant", AADSTS: 50033},
	} {
		t.Run(fmt.Sprint(fault.AADSTS), func(t *testing.T) {
			m := newMachine(t, "")
			fault.Endpoint, fault.Times = "token", 1
			m.entra.Fail(fault)
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, Success, "", "signed-in")
			polls := m.asked("token")
			if gap := polls[1].Time.Sub(polls[0].Time); fault.AADSTS == 50196 && gap.Seconds() < 6 {
				t.Errorf("asked again after %v", gap)
			}
		})
	}
}

// Before there is a code, the same numbers are an outage.
func TestNumbersThatWaitBeforeTheCode(t *testing.T) {
	m := newMachine(t, "")
	m.entra.Fail(emulator.Fault{Endpoint: "devicecode", Error: "invalid_grant", AADSTS: 50196})
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Unreachable, "The sign-in service asks for fewer sign-ins at a time.",
		`aadsts="50196"`)
}

func TestConsentIsAskedForOnce(t *testing.T) {
	a := &attempt{Request: Request{Attempt: ofOurs}}
	r := refused(t, a.oauthRefused(&oauth.Error{Code: "consent_required", AADSTS: []int{65001}}))
	if n := strings.Count(r.person, "consent"); n != 1 {
		t.Errorf("%q", r.person)
	}
}
