// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import "slices"

// This file says what Entra ID's errors mean. One table has its numbers (AADSTS), which say why;
// the other has the words of OAuth, for errors without a known number. Numbers come first: Entra ID
// sends 53003 with invalid_grant, interaction_required and access_denied, and only the number tells
// that nobody declined anything. Neither table lets anybody in.
//
// Sources: Microsoft's "Microsoft Entra authentication and authorization error codes", and public
// reports of sign-ins for 28000, 500200, 500208 to 500213, 500341, 500571, 530002 to 530004, 53005,
// 530021, 530031, 530033, 530036, 530084, 53009, 700003, 700022, 90072, 90095 and 90099.

// An answer is what an error means to the person, to the administrator and to the machine that
// waits.
type answer struct {
	numbers []int
	words   []string
	verdict Verdict // Refused: a new code may help. Denied: somebody has to change something first
	person  string
	fix     string // for the administrator (log, aadctl check); if Misconfigured, for the person too
	poll    polling
}

// polling is what becomes of a poll that gets the error.
type polling int

const (
	final  polling = iota // it ends the sign-in
	passes                // an outage: polled again
	slower                // polled again, less often
)

const (
	registration = tellAdministrator + "its application registration does not work."

	unavailable = "The sign-in service is temporarily unavailable. Try again in a moment."

	consent = "An administrator of your organisation must first consent to this application: " +
		"ask for it."

	// notInTime cannot tell who walked away from who was stopped: where a policy forbids device
	// codes, the page says so and the machine hears nothing.
	notInTime = "The sign-in was not finished in the browser in time. Try again. " +
		`If the page said "You don't have access to this", or that you cannot get there from ` +
		"here, or named error 53003, 530033 or 530035, your organisation does not allow a sign-in " +
		"with a code: ask your administrator, and quote that number."

	fixNotInTime = "if the page in the browser named error 53003, 530033 or 530035, " +
		"a policy blocks device codes: aadctl check --tenant, and the Conditional Access page " +
		"of the documentation; " + otherWay
	fixPolicy = "in the sign-in log of Entra ID, the tab Conditional Access names the policy; " +
		"the Conditional Access page of the documentation has the way out; " +
		"if it blocks device codes, " + otherWay
	otherWay = `sign_in.flow = "browser" does without device codes: aadctl setup --flow browser`
	fixScope = "See that the registration exposes the scope that sign_in.scope names, and give " +
		"it the delegated permissions openid and profile of Microsoft Graph."
	fixConsent = "consent for everybody: az ad app permission grant, as aadctl setup prints it, " +
		"or Grant admin consent in the Entra admin center"
)

// unmanaged are the errors of a sign-in from a device that is not managed.
var unmanaged = []int{
	50005, 50097, 50127, 50129, 50155, 50187, 53000, 53001, 530002, 530003, 530033,
}

// byNumber is looked through from top to bottom.
var byNumber = []answer{
	// Policies.
	{numbers: []int{53003, 530031, 530032, 530036, 50131}, verdict: Denied,
		person: "A Conditional Access policy of your organisation does not allow this sign-in; " +
			"it may block device codes. Ask your administrator.",
		fix: fixPolicy},
	{numbers: []int{530035}, verdict: Denied,
		person: "The security defaults of your organisation do not allow this sign-in: they " +
			"block device codes. Ask your administrator.",
		fix: "security defaults have no exception: " + otherWay +
			"; or Conditional Access policies in their place, which can leave this application out"},
	{numbers: unmanaged, verdict: Denied,
		person: "A policy of your organisation asks for a managed device, which device code " +
			"sign-in cannot prove. Ask your administrator.",
		fix: "no device code can meet that; " + otherWay +
			"; or leave this application out of the policy"},
	{numbers: []int{530004}, verdict: Denied,
		person: "The organisation of this machine asks for a managed device, and does not trust " +
			"those of other organisations. Ask your administrator.",
		fix: "a guest cannot satisfy the policy: in the cross-tenant access settings, trust " +
			"compliant devices of the guest's organisation, or leave guests out of the policy"},
	{numbers: []int{530084}, verdict: Denied,
		person: "A policy of your organisation asks for tokens that are bound to a device, which " +
			"neither a code nor a browser's answer gives. Ask your administrator.",
		fix: "a Conditional Access policy requires token protection: leave this application out " +
			"of it, for which sign_in.scope has to be set"},
	{numbers: []int{53002, 53005, 53009, 530021}, verdict: Denied,
		person: "A policy of your organisation asks for an approved or protected app, which this " +
			"sign-in is not. Ask your administrator.",
		fix: "leave this application out of the policy that asks for an approved or protected app"},
	{numbers: []int{500021, 500022, 500208, 500212, 500213, 50002}, verdict: Denied,
		person: "Your organisation and that of this machine do not allow accounts of the one in " +
			"the other. Ask your administrator.",
		fix: "cross-tenant access settings, or tenant restrictions that a proxy adds, refuse it"},
	{numbers: []int{50105}, verdict: Denied,
		person: "The account is not assigned to this application. Ask your administrator.",
		fix: "in the Entra admin center, at Enterprise applications, the application, Users " +
			"and groups: add the person, or set Assignment required to No"},

	// A second factor.
	{numbers: []int{50072, 50074, 50076, 50078, 50079, 500121}, verdict: Refused,
		person: "A second factor is asked for that has not been given. Try again and complete it " +
			"in the browser, or register one at https://aka.ms/mfasetup."},
	{numbers: []int{53004, 53010}, verdict: Denied,
		person: "A second factor must be registered first, and your organisation does not let " +
			"you do that from there. Ask your administrator.",
		fix: "the person cannot register a second factor where they are: see the policy for " +
			"registering security information, and the person's risk"},
	{numbers: []int{50158}, verdict: Refused,
		person: "Your organisation asks for a further check, which was not completed. Try again " +
			"and complete it in the browser."},
	{numbers: []int{50161, 50166, 50170, 50177, 50178}, verdict: Denied,
		person: "Your organisation asks for a further check, which does not work for this " +
			"account. Ask your administrator.",
		fix: "a policy's custom control, external method or session control fails for this " +
			"account: the sign-in log of Entra ID names it"},

	// The account.
	{numbers: []int{50057, 500571}, verdict: Denied,
		person: "The account is disabled. Ask your administrator."},
	{numbers: []int{135011, 700003}, verdict: Denied,
		person: "Your organisation has disabled the device of this browser, or does not know it " +
			"any more. Ask your administrator.",
		fix: "in the Entra admin center, at Devices: enable the device, or have it registered anew"},
	{numbers: []int{53011, 530034}, verdict: Denied,
		person: "The account is blocked because it is considered at risk. Ask your administrator.",
		fix: "Entra ID Protection considers the account at risk: look into it there, and " +
			"dismiss the risk if that is right"},
	{numbers: []int{50053}, verdict: Refused,
		person: "The account is locked, or the browser's address is blocked for attacks. Try " +
			"again later."},
	{numbers: []int{50055, 50135, 50144}, verdict: Refused,
		person: "The password must be changed first. Change it, then try again."},
	{numbers: []int{50056, 50064, 50126}, verdict: Refused,
		person: "The password was not accepted. Try again."},
	{numbers: []int{50125}, verdict: Refused,
		person: "The account must be registered for password reset first. Do that in the " +
			"browser, then try again."},
	{numbers: []int{80012}, verdict: Denied,
		person: "The account may not sign in at this time of day. Ask your administrator."},
	{numbers: []int{50015, 54000}, verdict: Denied,
		person: "The account may not use this application because of its holder's age. Ask your " +
			"administrator."},
	{numbers: []int{16003, 50014, 50020, 50034, 50197, 500200, 500341, 51004, 90072},
		verdict: Refused,
		person: "The account does not exist in the directory of this machine. Try again with one " +
			"that does.",
		fix: "the account is of another tenant: invite it as a guest if it should be let in"},

	// The browser.
	{numbers: []int{50089, 50132, 50133, 50139, 50143, 50173, 70000, 700082, 70043},
		verdict: Refused,
		person:  "The browser's session is no longer good. Try again, and sign in there afresh."},
	{numbers: []int{16000, 16001, 16002, 160021, 50058, 50140, 50199, 51006}, verdict: Refused,
		person: "A question in the browser was left unanswered. Try again, and answer it there."},
	{numbers: []int{50134}, verdict: Refused,
		person: "The page was of another region of the sign-in service than the code. Try again."},
	{numbers: []int{70008, 70019}, verdict: Refused, person: notInTime, fix: fixNotInTime},
	{numbers: []int{70018}, verdict: Refused,
		person: "The sign-in service did not accept the code it had given. Try again."},
	{numbers: []int{
		20001, 20012, 20033, 40008, 40009, 40010, 40015, 50008, 50107,
		80001, 80002, 80005, 80007, 80010, 80013, 80014,
	}, verdict: Refused,
		person: "Your organisation's own directory or sign-in service failed. Try again in a " +
			"moment; if it stays, ask your administrator.",
		fix: "the federated identity provider, or an agent for pass-through authentication, " +
			"failed: the sign-in log of Entra ID has more"},

	// Consent.
	{numbers: []int{65004}, verdict: Refused,
		person: "Consent to this application was declined in the browser. Try again and give it, " +
			"or ask your administrator to give it for everybody.",
		fix: fixConsent},
	{numbers: []int{65001, 90008, 90093, 90094, 90095, 90099}, verdict: Denied,
		person: consent, fix: fixConsent},

	// The registration and the configuration.
	{numbers: []int{7000218, 700025}, verdict: Misconfigured, person: registration,
		fix: `Set "Allow public client flows" to yes in the application registration.`},
	{numbers: []int{700016, 700011}, verdict: Misconfigured, person: registration,
		fix: "client_id names no application of the tenant."},
	{numbers: []int{7000112, 70001}, verdict: Misconfigured, person: registration,
		fix: "The application is disabled in the tenant."},
	{numbers: []int{90002, 90019, 90038, 50049, 50059}, verdict: Misconfigured,
		person: registration,
		fix:    "tenant_id names no tenant of this cloud."},
	{numbers: []int{28002, 650053, 650056, 650057, 65005, 70011}, verdict: Misconfigured,
		person: registration,
		fix:    fixScope},
	{numbers: []int{500011, 500014, 50001, 650052, 650054}, verdict: Misconfigured,
		person: registration,
		fix: "The resource of its scope is unknown or disabled in the tenant: see sign_in.scope, " +
			"and run az ad sp create --id with client_id."},
	{numbers: []int{90009}, verdict: Misconfigured, person: registration,
		fix: `Entra ID takes a scope of its own in the GUID form only: set sign_in.scope to "<client_id>/sign-in".`},
	{numbers: []int{28000, 700022}, verdict: Misconfigured, person: registration,
		fix: "It asked for scopes of two resources at once: one request serves one, so leave " +
			"sign_in.scope empty."},
	{numbers: []int{70003, 90004, 90014, 900144, 90015, 90023, 900561}, verdict: Misconfigured,
		person: registration,
		fix:    "The request was not well-formed: report that to the authors of this software."},

	// The service.
	{numbers: []int{50033, 50087, 70012, 90006, 90012, 90024, 90033, 90055}, verdict: Unreachable,
		person: unavailable, poll: passes},
	{numbers: []int{50196}, verdict: Unreachable, poll: slower,
		person: "The sign-in service asks for fewer sign-ins at a time. Try again in a few minutes."},
}

// byWord is for errors without a number that byNumber has.
var byWord = []answer{
	{words: []string{"authorization_declined", "access_denied"}, verdict: Refused,
		person: "The sign-in was declined in the browser. Try again if that was not meant."},
	{words: []string{"expired_token", "code_expired"}, verdict: Refused,
		person: notInTime, fix: fixNotInTime},
	{words: []string{"bad_verification_code"}, verdict: Refused,
		person: "The sign-in service did not accept the code it had given. Try again."},
	{words: []string{"invalid_grant", "interaction_required"}, verdict: Refused,
		person: "The sign-in service did not accept this sign-in. Try again; if it stays, ask " +
			"your administrator."},
	{words: []string{"consent_required"}, verdict: Denied, person: consent, fix: fixConsent},
	{words: []string{"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"},
		verdict: Misconfigured, person: registration},
	{words: []string{"temporarily_unavailable", "server_error"},
		verdict: Unreachable, person: unavailable},
}

// unknown is for all that neither table has.
var unknown = answer{verdict: Refused,
	person: "The sign-in service refused this sign-in. Try again; if it stays, ask your " +
		"administrator."}

// meaning looks an error up: by its first number that is known, or else by its word.
func meaning(word string, numbers []int) answer {
	if a, found := firstNumbered(byNumber, numbers); found {
		return a
	}
	for _, a := range byWord {
		if slices.Contains(a.words, word) {
			return a
		}
	}
	return unknown
}

// firstNumbered returns what a table has for the first of these numbers that it knows.
func firstNumbered(table []answer, numbers []int) (a answer, found bool) {
	for _, n := range numbers {
		for _, a := range table {
			if slices.Contains(a.numbers, n) {
				return a, true
			}
		}
	}
	return answer{}, false
}

// numbersThat returns the numbers with this effect on a poll.
func numbersThat(p polling) (all []int) {
	for _, a := range byNumber {
		if a.poll == p {
			all = append(all, a.numbers...)
		}
	}
	return all
}
