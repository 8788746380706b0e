// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/devicecode"
)

// sshd counts its time from the beginning of the connection. A second code gets the time that the
// first has left, and says so. Without enough time no second code is made.
func TestTimeLeft(t *testing.T) {
	const whole = 280 * time.Second
	for _, test := range []struct {
		timeout, connected, left time.Duration // left 0: refused
		says                     string
	}{
		{whole, 0, whole, ""}, // not sshd, or not known
		{whole, time.Second, whole, ""},
		{whole, 10 * time.Second, whole, ""},
		{whole, 11 * time.Second, 279 * time.Second, "This connection ends in 279 seconds. \n"},
		{whole, 200 * time.Second, 90 * time.Second, "This connection ends in 90 seconds. \n"},
		{whole, 230 * time.Second, time.Minute, "This connection ends in 60 seconds. \n"},
		{whole, 231 * time.Second, 0, ""},
		{whole, 24 * time.Hour, 0, ""},
		{20 * time.Second, 0, 20 * time.Second, ""}, // a short time-out is the administrator's wish
		{20 * time.Second, 10 * time.Second, 20 * time.Second, ""},
		{20 * time.Second, 11 * time.Second, 0, ""},
	} {
		a := promptedAttempt(Request{Service: "sshd", Connected: test.connected})
		a.cfg.SignIn.Timeout = test.timeout
		left, err := a.timeLeft()
		var refused *refusal
		if left != test.left || (test.left == 0) != errors.As(err, &refused) {
			t.Errorf("%v of a connection %v old: %v, %v; want %v", test.timeout,
				test.connected, left, err, test.left)
		}
		if err != nil {
			if refused.verdict != Unreachable || refused.reason != "no-time-left" {
				t.Errorf("%v", refused)
			}
			continue
		}
		if got := a.before(); got != test.says {
			t.Errorf("%v old: %q, want %q", test.connected, got, test.says)
		}
	}
}

// Clients that show only prompts (ssh -q, libraries) show in the prompt why there is another code.
func TestSaidBefore(t *testing.T) {
	a := promptedAttempt(Request{
		Service: "sshd", Said: "This sign-in is for a, but b signed in with the browser.",
	})
	text := a.promptText(&devicecode.Code{
		UserCode: "FJS3K6X4D", VerificationURI: "https://microsoft.com/devicelogin",
	})
	const begin = "This sign-in is for a, but b signed in with the browser. \nSigning in to "
	if !strings.HasPrefix(text, begin) {
		t.Errorf("%q", text)
	}
}
