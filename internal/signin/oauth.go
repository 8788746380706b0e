// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"slices"
	"strconv"
	"strings"

	"aadlogin/internal/devicecode"
)

// oauthRefused explains an error that Entra ID answered the device authorization grant with (RFC 8628, Section 3.5; RFC
// 6749, Section 5.2). Only the error decides; Microsoft changes the AADSTS numbers, so they choose no more than a hint.
func (a *attempt) oauthRefused(e *devicecode.Error) error {
	verdict, happened, next := meaning(e.Code)
	if hint := hintFor(e.AADSTS); hint != "" {
		next = hint
	}
	reason := "sign-in-refused"
	if e.Code == "expired_token" {
		reason = "expired" // as when the time is up here first
	}
	var numbers []string
	for _, n := range e.AADSTS {
		numbers = append(numbers, strconv.Itoa(n))
	}
	a.found.heard(e)
	return a.refuse(verdict, strings.TrimSpace(happened+" "+next), reason, "error", e.Code, "aadsts", strings.Join(numbers, ","))
}

// meaning is what happened, in a sentence, and what to do next where no hint says it better.
func meaning(code string) (v Verdict, happened, next string) {
	const notAccepted = "The sign-in service did not accept this sign-in."
	switch code {
	case "authorization_declined", "access_denied":
		return Refused, "The sign-in was declined in the browser.", "Try again if that was not meant."
	case "expired_token":
		return Refused, notInTime, ""
	case "bad_verification_code":
		return Refused, "The sign-in service did not accept the code it had given.", "Try again."
	case "invalid_grant", "interaction_required":
		return Refused, notAccepted, "Try again; if it stays, ask your administrator."
	case "consent_required":
		return Refused, notAccepted, consent
	case "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope":
		return Misconfigured, tellAdministrator + "its application registration does not work.", ""
	case "temporarily_unavailable", "server_error":
		return Unreachable, "The sign-in service is temporarily unavailable.", "Try again in a moment."
	default:
		return Refused, "The sign-in service refused this sign-in.", "Try again; if it stays, ask your administrator."
	}
}

// notInTime names the cause that the service keeps to itself: where Conditional Access blocks device code sign-in, the page
// says so, and the device is left to wait.
const notInTime = "The sign-in was not finished in the browser in time. Try again. If the page said that you cannot get there " +
	"from here, or that the sign-in was blocked, your organisation may not allow device code sign-in: ask your administrator."

const consent = "An administrator of your organisation must first consent to this application: ask for it."

// hints are for what the person or an administrator can do something about. Source: Microsoft's "Microsoft Entra
// authentication and authorization error codes".
var hints = []struct {
	numbers []int
	hint    string
}{
	{[]int{50072, 50074, 50076, 50079}, "It asks for a second factor that has not been given: complete it in the browser, or register one at https://aka.ms/mfasetup."},
	{[]int{53000, 53001, 53002, 53003, 530032, 530035}, "A Conditional Access policy of your organisation does not allow it; device code sign-in may be blocked. Ask your administrator."},
	{[]int{50097}, "It asks for a managed device, which device code sign-in cannot prove. Ask your administrator."},
	{[]int{50057}, "The account is disabled. Ask your administrator."},
	{[]int{50053}, "The account is locked. Try again later."},
	{[]int{50055}, "The password has expired: change it first."},
	{[]int{50105}, "The account is not assigned to this application. Ask your administrator."},
	{[]int{50020, 50034}, "The account does not exist in the directory of this machine. Try again with one that does."},
	{[]int{65001, 65004, 90094}, consent},
	{[]int{7000218}, `Set "Allow public client flows" to yes in the application registration.`},
	{[]int{700016}, "client_id names no application of the tenant."},
	{[]int{7000112}, "The application is disabled in the tenant."},
	{[]int{90002}, "tenant_id names no tenant of this cloud."},
	{[]int{70011, 500011, 650057}, "Give it the delegated permissions openid and profile of Microsoft Graph."},
	{[]int{90014}, "A request lacked a field: report that to the authors of this software."},
}

func hintFor(aadsts []int) string {
	for _, h := range hints {
		if slices.ContainsFunc(aadsts, func(n int) bool { return slices.Contains(h.numbers, n) }) {
			return h.hint
		}
	}
	return ""
}
