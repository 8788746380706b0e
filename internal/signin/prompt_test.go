// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/devicecode"
)

// said is a Conversation that records everything.
type said struct {
	prompts, told []string
	last          []string // shown after the end
	again         []string // what is asked after an early ENTER
	logged        []string // "level line"
	ends          int      // of the lines
	deadlines     []time.Duration
	answer        func(prompt string) // what the person does before ENTER
	reads         func(told string)   // what the person does when something is told
	typed         func(question string, echo bool) (string, error)
}

// Ask returns what the person types.
func (s *said) Ask(_ context.Context, text string, echo bool) ([]byte, error) {
	s.prompts = append(s.prompts, text)
	if s.typed == nil {
		return nil, io.EOF
	}
	typed, err := s.typed(text, echo)
	return []byte(typed), err
}

func (s *said) Prompt(text string) {
	s.prompts = append(s.prompts, text)
	if s.answer != nil {
		s.answer(text)
	}
}
func (s *said) Again(text string) { s.again = append(s.again, text) }
func (s *said) Tell(text string) {
	s.told = append(s.told, text)
	if s.reads != nil {
		s.reads(text)
	}
}
func (s *said) Last(text string)          { s.last = append(s.last, text) }
func (s *said) Deadline(in time.Duration) { s.deadlines = append(s.deadlines, in) }
func (s *said) Log(l LogLevel, line string) {
	s.logged = append(s.logged, fmt.Sprintf("%d %s", l, line))
}
func (s *said) End(l LogLevel, line string) {
	s.ends++
	s.Log(l, line)
}

func promptedAttempt(req Request) *attempt {
	return &attempt{
		Request: req, cfg: &config.Config{},
		name: account.Name{Account: "user@contoso.example", UPN: "user@contoso.example"},
	}
}

func TestPromptText(t *testing.T) {
	const alone = "https://microsoft.com/devicelogin \n"
	const sentence = "To sign in, use a web browser to open the page " +
		"https://microsoft.com/devicelogin and enter the code FJS3K6X4D to authenticate. Press " +
		"ENTER when ready."
	honest := devicecode.Code{
		UserCode: "FJS3K6X4D", VerificationURI: "https://microsoft.com/devicelogin",
	}
	complete := honest
	complete.VerificationURIComplete = "https://microsoft.com/devicelogin?otc=FJS3K6X4D"
	for _, test := range []struct {
		name string
		req  Request
		code devicecode.Code
		want string
	}{
		{"over ssh", Request{Service: "sshd", RemoteHost: "192.0.2.7"}, honest,
			"Signing in to HOST as user@contoso.example (sshd, from 192.0.2.7). \n" + alone +
				sentence},
		{"at the machine", Request{Service: "sudo"}, honest,
			"Signing in to HOST as user@contoso.example (sudo). \n" + alone + sentence},
		{"with the code in the page's address",
			Request{Service: "sshd", RemoteHost: "host.example"}, complete,
			"Signing in to HOST as user@contoso.example (sshd, from host.example). \n" +
				"Open https://microsoft.com/devicelogin?otc=FJS3K6X4D and check that the page " +
				"shows the code below, or: \n" + alone + sentence},
		{"hostile server", Request{Service: "sshd"}, devicecode.Code{
			UserCode:                "A\x1b[8mB\nC\u202e",
			VerificationURI:         "https://x\r\n\x1b[2J",
			VerificationURIComplete: "\x1b\u200b\n",
			Message:                 "never shown",
		}, "Signing in to HOST as user@contoso.example (sshd). \n" +
			"To sign in, use a web browser to open the page https://x  [2J and enter the code " +
			"A[8mB C to authenticate. Press ENTER when ready."},
		{"hostile address of the client",
			Request{Service: "sshd",
				RemoteHost: "a).\nTo sign in, open https://evil.example\x1b[1A"}, honest,
			"Signing in to HOST as user@contoso.example (sshd, from a). To sign in, open " +
				"https://evil.example[1A). \n" + alone + sentence},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := strings.Replace(test.want, "HOST", clean(hostname(), 64), 1)
			if got := promptedAttempt(test.req).promptText(&test.code); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Where clients break a line at column 77, each address is whole once. If the sentence would break
// it, it has a line of its own.
func TestAddressIsWhole(t *testing.T) {
	for _, test := range []struct {
		page, complete string
		alone          []string
	}{
		{"https://microsoft.com/devicelogin", "", []string{"https://microsoft.com/devicelogin"}},
		{"https://" + strings.Repeat("a", 22), "", nil}, // 47 + 30
		{"https://" + strings.Repeat("a", 23), "", []string{"https://" + strings.Repeat("a", 23)}},
		{"https://" + strings.Repeat("a", 22), "https://" + strings.Repeat("b", 64), nil},
		{"https://" + strings.Repeat("a", 22), "https://" + strings.Repeat("b", 65),
			[]string{"https://" + strings.Repeat("b", 65)}},
	} {
		a := promptedAttempt(Request{Service: "sshd"})
		text := a.promptText(&devicecode.Code{
			UserCode: "FJS3K6X4D", VerificationURI: test.page,
			VerificationURIComplete: test.complete,
		})
		lines := strings.Split(text, "\n")
		var alone []string
		for _, line := range lines[:len(lines)-1] {
			if !strings.HasSuffix(line, " ") || strings.HasPrefix(line, " ") {
				t.Errorf("without its break this joins the next line: %q", line)
			}
			if !strings.Contains(strings.TrimSpace(line), " ") {
				alone = append(alone, strings.TrimSpace(line))
			}
		}
		if !slices.Equal(alone, test.alone) {
			t.Errorf("alone %q, want %q, in\n%s", alone, test.alone, text)
		}
		want := "To sign in, use a web browser to open the page " + test.page +
			" and enter the code FJS3K6X4D to authenticate. Press ENTER when ready."
		if lines[len(lines)-1] != want {
			t.Errorf("%q, want %q", lines[len(lines)-1], want)
		}
	}
}

// Behind sudo, the page and the code are a message and not a prompt, because the caller may replace
// the prompt. In sshd they are shown again.
func TestAskIn(t *testing.T) {
	code := &devicecode.Code{
		UserCode: "FJS3K6X4D", VerificationURI: "https://microsoft.com/devicelogin",
	}
	for program, want := range map[string]struct{ told, prompts, again int }{
		"sudo": {1, 1, 0}, "sudo-rs": {0, 1, 0}, "sshd": {0, 1, 1}, "sshd-session": {0, 1, 1},
		"su": {0, 1, 0}, "login": {0, 1, 0},
		"polkit-agent-helper-1": {0, 1, 0}, "cockpit-session": {0, 1, 0}, "": {0, 1, 0},
	} {
		var conv said
		a := promptedAttempt(Request{Service: "sudo", Program: program})
		a.conv = &conv
		a.ask(code)
		if len(conv.told) != want.told || len(conv.prompts) != want.prompts ||
			len(conv.again) != want.again {
			t.Fatalf("%s: told %q, asked %q, and again %q", program,
				conv.told, conv.prompts, conv.again)
		}
		shown := append(append(conv.told, conv.again...), conv.prompts...)
		says := code.VerificationURI + " and enter the code FJS3K6X4D to authenticate."
		if !strings.Contains(shown[0], says) {
			t.Errorf("%s: %q", program, shown[0])
		}
		got := strings.Join(append(conv.told, conv.prompts...), " ")
		if strings.TrimSuffix(got, " ") != a.promptText(code) {
			t.Errorf("%s: %q", program, got)
		}
		if want.told == 1 && conv.prompts[0] != "Press ENTER when ready. " {
			t.Errorf("%s: %q", program, conv.prompts)
		}
		if want.again == 1 &&
			(!strings.HasPrefix(conv.again[0], "Still waiting for the browser. \n") ||
				strings.Contains(conv.again[0], "Signing in")) {
			t.Errorf("%s: %q", program, conv.again)
		}
	}
}

// The picture stands between the line that OpenSSH's client prefixes and the sentence, which does
// not change. It is drawn for terminals that it fits on, and for pages that people could type.
func TestPicture(t *testing.T) {
	const page = "https://microsoft.com/devicelogin"
	long := "https://microsoft.com/" + strings.Repeat("a", 90)
	for _, test := range []struct {
		name           string
		off            bool
		columns        int
		page, complete string
		lines, wide    int
	}{
		{"sshd", false, 80, page, "", 19, 37},
		{"switched off", true, 80, page, "", 0, 0},
		{"no terminal, or none of UTF-8", false, 0, page, "", 0, 0},
		{"just wide enough", false, 37, page, "", 19, 37},
		{"a column less", false, 36, page, "", 0, 0},
		{"with the code in it", false, 80, page, page + "?otc=FJS3K6X4D&mkt=de-DE", 21, 41},
		{"which is too wide", false, 40, page, page + "?otc=FJS3K6X4D&mkt=de-DE", 19, 37},
		{"which is too long", false, 80, page, long, 19, 37},
		{"both too long", false, 80, long, long, 0, 0},
		{"hostile", false, 80, page + "\x1b[2J", "", 0, 0},
		{"letters beyond ASCII", false, 80, "https://bücher.example", "", 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := promptedAttempt(Request{Service: "sshd", Columns: test.columns})
			code := devicecode.Code{
				UserCode: "FJS3K6X4D", VerificationURI: test.page,
				VerificationURIComplete: test.complete,
			}
			plain := a.promptText(&code)
			a.cfg.SignIn.QR = !test.off
			got := strings.Split(a.promptText(&code), "\n")
			rest := slices.Concat(got[:1], got[1+test.lines:])
			if strings.Join(rest, "\n") != plain {
				t.Fatalf("%d lines of a picture are not in\n%s\nbut\n%s", test.lines,
					strings.Join(got, "\n"), plain)
			}
			for _, line := range got[1 : 1+test.lines] {
				if strings.Trim(line, " ▀▄█") != "" || utf8.RuneCountInString(line) != test.wide {
					t.Errorf("no line of a picture %d wide: %q", test.wide, line)
				}
			}
		})
	}
}

// A client that has only the prompt finds the same pages in it.
func TestPages(t *testing.T) {
	const page, complete = "https://microsoft.com/devicelogin", "https://microsoft.com/devicelogin?otc=FJS3K6X4D"
	for _, test := range []struct {
		code devicecode.Code
		want []string
	}{
		{devicecode.Code{UserCode: "FJS3K6X4D", VerificationURI: page}, []string{page}},
		{devicecode.Code{UserCode: "FJS3K6X4D", VerificationURI: page,
			VerificationURIComplete: complete}, []string{complete, page}},
	} {
		for _, columns := range []int{0, 80} {
			a := promptedAttempt(Request{Service: "sshd", Columns: columns})
			a.cfg.SignIn.QR = true
			if got := Pages(a.promptText(&test.code)); !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		}
	}
	for _, prompt := range []string{
		"", "Password: ", "\nOpen the pod bay doors",
		"\nTo sign in, use a web browser to open the page ",
	} {
		if got := Pages(prompt); len(got) > 0 {
			t.Errorf("%q: %q", prompt, got)
		}
	}
}

// The door cuts a frame at 16384 bytes. No server and no client may push the sentence out of it.
func TestPromptTextIsBounded(t *testing.T) {
	long := strings.Repeat("𝕏", 1<<16)
	page := "https://" + strings.Repeat("~", 98) // of the largest picture
	a := promptedAttempt(Request{Service: long, RemoteHost: long, Columns: 80})
	a.cfg.SignIn.QR = true
	text := a.promptText(&devicecode.Code{
		UserCode: long, VerificationURI: page, VerificationURIComplete: long,
	})
	if len(text) > 8192 || !strings.Contains(text, "\n██████") ||
		!strings.HasSuffix(text, " Press ENTER when ready.") {
		t.Errorf("%d bytes, ends %q", len(text), text[len(text)-40:])
	}
}
