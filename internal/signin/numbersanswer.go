// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

// This file says what numbers mean when an authorization code is redeemed that was pasted here. A
// number that is not in this table means what it means in the device code flow.
//
// Sources: Microsoft's "Microsoft Entra authentication and authorization error codes", and public
// reports of redemptions for 54005, 501481, 700025, 7000218 and 9002327.

const answerTooLate = "The answer came too late: it is good for ten minutes. Try again."

var byNumberOfAnswer = []answer{
	{numbers: []int{70008}, verdict: Refused, person: answerTooLate},
	{numbers: []int{54005}, verdict: Refused,
		person: "This answer has been used before, so nobody was signed in. Try again, and paste " +
			"what the page then shows at this prompt only.",
		fix: "if it comes again, somebody else redeems the codes first: look into the sign-in " +
			"log of Entra ID, and at who may change the sign-in page"},
	{numbers: []int{501481, 50148, 501491, 9002325}, verdict: Refused,
		person: "The answer belongs to another attempt, so nobody was signed in. Try again, with " +
			"the address that is shown then.",
		fix: "the code was asked for by an address that this attempt has not shown; if it stays, " +
			"aadctl check compares the sign-in page with what it should be"},
	{numbers: []int{70000}, verdict: Refused,
		person: "The sign-in service did not take the answer. Try again, with the address that " +
			"is shown then."},
	{numbers: []int{50011, 500112, 50021}, verdict: Misconfigured, person: registration,
		fix: "The address in sign_in.page is not registered, letter for letter: aadctl setup " +
			"--flow browser prints what registers it."},
	{numbers: []int{9002327, 9002326}, verdict: Misconfigured, person: registration,
		fix: `The address in sign_in.page is registered for a single-page application, whose codes only the page can redeem: set sign_in.answer to "token", or register another address for public clients.`},
	{numbers: []int{7000218, 7000215}, verdict: Misconfigured, person: registration,
		fix: "The address in sign_in.page is registered for the platform Web, which asks for a " +
			"secret: register it for public clients (Mobile and desktop applications)."},
	{numbers: []int{700025}, verdict: Misconfigured, person: registration,
		fix: "Something between this machine and Entra ID adds a secret to the request, which a " +
			"public client has not: see endpoints.proxy."},
	{numbers: []int{53003, 530031, 530032, 530035, 530036, 50131}, verdict: Denied,
		person: "A policy of your organisation does not allow this sign-in. Ask your administrator.",
		fix:    "in the sign-in log of Entra ID, the tab Conditional Access names the policy"},
	{numbers: unmanaged, verdict: Denied,
		person: "A policy of your organisation asks for a managed device. Try again with a " +
			"browser on one.",
		fix: "the browser was on no managed device, or did not show it: see the sign-in log of " +
			"Entra ID"},
}

func meaningOfAnswer(word string, numbers []int) answer {
	if a, found := firstNumbered(byNumberOfAnswer, numbers); found {
		return a
	}
	return meaning(word, numbers)
}
