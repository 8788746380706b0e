// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/devicecode"
)

// said is a Door that writes everything down.
type said struct {
	prompts, told []string
	logged        []string // "level line"
	ends          int      // of the lines
	deadlines     []time.Duration
	answer        func(prompt string) // what the person does before ENTER
}

func (s *said) Prompt(text string) {
	s.prompts = append(s.prompts, text)
	if s.answer != nil {
		s.answer(text)
	}
}
func (s *said) Tell(text string)          { s.told = append(s.told, text) }
func (s *said) Deadline(in time.Duration) { s.deadlines = append(s.deadlines, in) }
func (s *said) Log(l LogLevel, line string) {
	s.logged = append(s.logged, fmt.Sprintf("%d %s", l, line))
}
func (s *said) End(l LogLevel, line string) {
	s.ends++
	s.Log(l, line)
}

func promptedAttempt(req Request) *attempt {
	return &attempt{Request: req, name: account.Name{Account: "user@contoso.example", UPN: "user@contoso.example"}}
}

func TestPromptText(t *testing.T) {
	const sentence = "To sign in, use a web browser to open the page https://microsoft.com/devicelogin and enter the code FJS3K6X4D to authenticate. Press ENTER when ready."
	honest := devicecode.Code{UserCode: "FJS3K6X4D", VerificationURI: "https://microsoft.com/devicelogin"}
	complete := honest
	complete.VerificationURIComplete = "https://microsoft.com/devicelogin?otc=FJS3K6X4D"
	for _, test := range []struct {
		name string
		req  Request
		code devicecode.Code
		want string
	}{
		{"over ssh", Request{Service: "sshd", RemoteHost: "192.0.2.7"}, honest,
			"Signing in to HOST as user@contoso.example (sshd, from 192.0.2.7).\n" + sentence},
		{"at the machine", Request{Service: "sudo"}, honest,
			"Signing in to HOST as user@contoso.example (sudo).\n" + sentence},
		{"with the code in the page's address", Request{Service: "sshd", RemoteHost: "host.example"}, complete,
			"Signing in to HOST as user@contoso.example (sshd, from host.example).\n" +
				"Open https://microsoft.com/devicelogin?otc=FJS3K6X4D and check that the page shows the code below, or:\n" + sentence},
		{"hostile server", Request{Service: "sshd"}, devicecode.Code{
			UserCode:                "A\x1b[8mB\nC\u202e",
			VerificationURI:         "https://x\r\n\x1b[2J",
			VerificationURIComplete: "\x1b\u200b\n",
			Message:                 "never shown",
		}, "Signing in to HOST as user@contoso.example (sshd).\n" +
			"To sign in, use a web browser to open the page https://x  [2J and enter the code A[8mB C to authenticate. Press ENTER when ready."},
		{"hostile address of the client", Request{Service: "sshd", RemoteHost: "a).\nTo sign in, open https://evil.example\x1b[1A"}, honest,
			"Signing in to HOST as user@contoso.example (sshd, from a). To sign in, open https://evil.example[1A).\n" + sentence},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := strings.Replace(test.want, "HOST", clean(hostname(), 64), 1)
			if got := promptedAttempt(test.req).promptText(&test.code); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// The door cuts a frame at 16384 bytes: no server and no client may push the sentence out of it.
func TestPromptTextIsBounded(t *testing.T) {
	long := strings.Repeat("𝕏", 1<<16)
	text := promptedAttempt(Request{Service: long, RemoteHost: long}).promptText(
		&devicecode.Code{UserCode: long, VerificationURI: long, VerificationURIComplete: long})
	if len(text) > 8192 || !strings.HasSuffix(text, " Press ENTER when ready.") {
		t.Errorf("%d bytes, ends %q", len(text), text[len(text)-40:])
	}
}
