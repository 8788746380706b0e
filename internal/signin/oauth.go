// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strconv"
	"strings"

	"aadlogin/internal/oauth"
)

// oauthRefused explains an error that Entra ID answered a grant with (RFC 8628, Section 3.5; RFC
// 6749, Section 5.2).
func (a *attempt) oauthRefused(e *oauth.Error) error {
	means := a.meaning(e)
	person := means.person
	if means.verdict == Misconfigured {
		person = strings.TrimSpace(person + " " + means.fix)
	}
	reason := "sign-in-refused"
	if person == notInTime || person == answerTooLate {
		reason = "expired" // as when the time is up here first
	}
	var numbers []string
	for _, n := range e.AADSTS {
		numbers = append(numbers, strconv.Itoa(n))
	}
	a.event.heard(e)
	return a.refuse(means.verdict, person, reason,
		"error", e.Code, "aadsts", strings.Join(numbers, ","), "fix", means.fix)
}

// meaning is that of the way in which the error came.
func (a *attempt) meaning(e *oauth.Error) answer {
	if a.event.flow != "" {
		return meaningOfAnswer(e.Code, e.AADSTS)
	}
	return meaning(e.Code, e.AADSTS)
}
