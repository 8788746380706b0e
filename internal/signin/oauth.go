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
	verdict, sentence := Refused, "The sign-in service refused this sign-in."
	switch e.Code {
	case "authorization_declined", "access_denied":
		sentence = "The sign-in was declined in the browser."
	case "expired_token":
		sentence = "The code expired before the sign-in was finished. Try again."
	case "bad_verification_code":
		sentence = "The sign-in service did not accept the code it had given. Try again."
	case "invalid_grant", "interaction_required":
		sentence = "The sign-in service did not accept this sign-in."
	case "consent_required":
		sentence = "An administrator of your organisation must first consent to this application."
	case "invalid_client", "unauthorized_client", "invalid_request", "invalid_scope":
		verdict, sentence = Misconfigured, tellAdministrator+"its application registration does not work."
	case "temporarily_unavailable":
		verdict, sentence = Unreachable, "The sign-in service is temporarily unavailable. Try again in a moment."
	}
	if hint := hintFor(e.AADSTS); hint != "" && hint != sentence {
		sentence += " " + hint
	}
	var numbers []string
	for _, n := range e.AADSTS {
		numbers = append(numbers, strconv.Itoa(n))
	}
	a.found.heard(e)
	return a.refuse(verdict, sentence, "sign-in-refused", "error", e.Code, "aadsts", strings.Join(numbers, ","))
}

// hints are for what the person or an administrator can do something about. Source: Microsoft's "Microsoft Entra
// authentication and authorization error codes".
var hints = []struct {
	numbers []int
	hint    string
}{
	{[]int{50072, 50074, 50076, 50079}, "It asks for a second factor that has not been given: complete it in the browser, or register one at https://aka.ms/mfasetup."},
	{[]int{53000, 53001, 53002, 53003, 530032, 530035}, "A Conditional Access policy of your organisation does not allow it; device code sign-in may be blocked. Ask your administrator."},
	{[]int{50097}, "It asks for a managed device, which device code sign-in cannot prove. Ask your administrator."},
	{[]int{50057}, "The account is disabled."},
	{[]int{50053}, "The account is locked. Try again later."},
	{[]int{50055}, "The password has expired: change it first."},
	{[]int{50105}, "The account is not assigned to this application. Ask your administrator."},
	{[]int{50020, 50034}, "The account does not exist in the directory of this machine."},
	{[]int{65001, 65004, 90094}, "An administrator of your organisation must first consent to this application."},
	{[]int{7000218}, `Set "Allow public client flows" to yes in the application registration.`},
	{[]int{700016}, "client_id names no application of the tenant."},
	{[]int{7000112}, "The application is disabled in the tenant."},
	{[]int{90002}, "tenant_id names no tenant of this cloud."},
}

func hintFor(aadsts []int) string {
	for _, h := range hints {
		if slices.ContainsFunc(aadsts, func(n int) bool { return slices.Contains(h.numbers, n) }) {
			return h.hint
		}
	}
	return ""
}
