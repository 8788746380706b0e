// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// Both kinds of answer let the person in, by one paste for each part. Nothing of the attempt goes
// to Entra ID before the first, and an ID token needs no request of the machine's to it at all.
func TestBrowserFlow(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines  string
		short  bool
		source string
		tokens int // requests for tokens: the page's, or the machine's
	}{
		"token":          {byToken, true, "", 1},
		"token as it is": {byToken, false, "", 1},
		"code":           {byPastedCode, false, "", 1},
		"code for permissions": {browserFlow + "sign_in.page = \"" + pagePublic +
			"\"\nauthorization.source = \"permissions\"\n", false,
			"https://management.azure.com/user_impersonation", 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, test.lines)
			for round, cache := range []string{"cold", "warm"} {
				m.entra.ForgetRequests()
				y := &typist{as: user, edit: func(p *page) {
					p.short = test.short
					if test.source != "" {
						p.scope += " " + test.source
					}
					for _, r := range m.entra.Requests() {
						if r.Endpoint == "token" || r.Endpoint == "devicecode" ||
							r.Endpoint == "authorize" || cache == "warm" &&
							(r.Endpoint == "openid" || r.Endpoint == "keys") {
							t.Errorf("%s cache: asked for %s before anything was pasted", cache,
								r.Endpoint)
						}
					}
				}}
				got, conv := m.paste(m.sshd(user), y)
				ended(t, got, conv, Success, "", `flow="browser"`)
				if len(conv.prompts) != len(y.shown) || len(conv.last) != 0 ||
					slices.Contains(y.echo, true) {
					t.Errorf("%d questions for %d parts; then %q", len(conv.prompts), len(y.shown),
						conv.last)
				}
				if n := m.requests("token"); n != test.tokens || m.requests("devicecode") != 0 {
					t.Errorf("round %d: %d requests for tokens", round, n)
				}
			}
			if a := m.stored(user); a.ObjectID != userOID {
				t.Errorf("stored %+v", a)
			}
		})
	}
}

// A prompt's first line is short, the address has a line to itself, and what a program takes
// decides how the page divides the answer.
func TestTerminals(t *testing.T) {
	m := newMachine(t, byToken)
	for _, test := range []struct {
		program, service, p string
		echo                bool
	}{
		{"sshd", "sshd", "T1000", false},
		{"sshd-session", "custom", "T1000", false},
		{"sudo", "sudo", "T480n", true},
		{"sudo", "sudo-i", "T480n", true},
		{"sudo-rs", "sudo", "T480n", true},
		{"su", "su-l", "T4000", false},
		{"login", "login", "T4000", false},
		{"doas", "doas", "T480", false},
		{"cockpit-session", "cockpit", "T480", false},
	} {
		t.Run(test.program+" "+test.service, func(t *testing.T) {
			req := m.sshd(user)
			req.Program, req.Service = test.program, test.service
			if test.program != "sshd" && test.program != "sshd-session" {
				req.RemoteHost = ""
			}
			y := &typist{as: user}
			got, conv := m.paste(req, y)
			if got != Success || slices.Contains(y.echo, !test.echo) {
				t.Fatalf("verdict %d, echo %v: %q", got, y.echo, conv.logged)
			}
			text := strings.Join(append(slices.Clone(conv.told), conv.prompts[0]), " \n")
			first, _, _ := strings.Cut(text, "\n")
			if !strings.Contains(y.address, "&p="+test.p+"&") ||
				!strings.Contains(text, "\n \n"+y.address+"\n \n") || len(first) > 100 ||
				!strings.HasSuffix(text, "Part 1: ") {
				t.Errorf("%q", text)
			}
			if (len(conv.told) > 0) != (test.program == "sudo") {
				t.Errorf("told %q", conv.told)
			}
			origin := map[bool]string{true: "&o=192.0.2.7&",
				false: "&o=local&"}[req.RemoteHost != ""]
			if !strings.Contains(y.address, origin) || !strings.Contains(y.address,
				"&s="+test.service+"&") || !strings.Contains(y.address, "&u="+user+"&") {
				t.Error(y.address)
			}
		})
	}
}

// What people paste, and what the next prompt says of it. All of them get in.
func TestConversations(t *testing.T) {
	m := newMachine(t, byToken)
	other := "1/1.tAAAA." + hash64("1/1.tAAAA.x")[:6] + ".x;"
	for name, test := range map[string]struct {
		lines func(parts []string) []string
		says  []string // the questions after the first, in pieces
	}{
		"in order": {nil, []string{"Part 2 of 3: ", "Part 3 of 3: "}},
		"all at once": {func(p []string) []string { return []string{strings.Join(p, "")} },
			nil},
		"backwards": {func(p []string) []string { slices.Reverse(p); return p },
			[]string{"Part 1 of 3: ", "Part 1 of 3: "}},
		"line breaks": {func(p []string) []string {
			return []string{p[0], "", p[1], "", p[2]}
		}, []string{"Part 2 of 3: ", "Part 2 of 3: ", "Part 3 of 3: ", "Part 3 of 3: "}},
		"nothing": {func(p []string) []string {
			return append([]string{""}, p...)
		}, []string{"Nothing came. ", "Part 2 of 3: ", ""}},
		"twice": {func(p []string) []string {
			return []string{p[0], p[0], p[1], p[2]}
		}, []string{"", "Part 1 was here already. \nPart 2 of 3: ", ""}},
		"cut": {func(p []string) []string {
			return []string{(p[0] + p[1] + p[2])[:1023], p[2]}
		}, []string{"The end is missing (1023 characters came)."}},
		"end missing": {func(p []string) []string {
			return []string{p[0][:300], p[0], p[1], p[2]}
		}, []string{"The end is missing (300 characters came).", "", ""}},
		"damaged": {func(p []string) []string {
			return append([]string{p[0][:99] + p[0][100:]}, p...)
		}, []string{"A part came damaged.", "", ""}},
		"another attempt": {func(p []string) []string {
			return append([]string{other}, p...)
		}, []string{"That part is of another attempt.", "", ""}},
		"a password": {func(p []string) []string {
			return append([]string{"hunter2"}, p...)
		}, []string{"That is no part of an answer.", "", ""}},
		"hostile": {func(p []string) []string {
			return append([]string{"\x1b]0;\x07\u202e"}, p...)
		}, []string{"A part came damaged.", "", ""}},
		"bracketed, blank": {func(p []string) []string {
			return []string{"\x1b[200~" + p[0] + "\x1b[201~ ", " " + p[1], p[2]}
		}, []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			// three parts
			y := &typist{as: user, lines: test.lines, edit: func(p *page) { p.size = 500 }}
			got, conv := m.paste(m.sshd(user), y)
			ended(t, got, conv, Success, "", "signed-in")
			if len(y.shown) != 3 || len(conv.prompts)-1 < len(test.says) {
				t.Fatalf("%d parts, prompts %q", len(y.shown), conv.prompts)
			}
			for i, want := range test.says {
				if got := conv.prompts[i+1]; !strings.Contains(got, want) ||
					strings.Contains(got, "http") {
					t.Errorf("question %d: %q, want %q", i+2, got, want)
				}
			}
			if strings.Contains(strings.Join(conv.prompts, ""), "hunter2") {
				t.Error("what was typed is shown")
			}
		})
	}
}

// Parts of two answers are good, each for itself; together they are nothing, and the person is
// asked for new ones.
func TestPartsOfTwoAnswers(t *testing.T) {
	m := newMachine(t, byToken)
	var p *page
	y := &typist{as: user, edit: func(opened *page) {
		p, opened.size, opened.short = opened, 500, true
	}}
	y.lines = func(first []string) []string {
		second := p.answer(user)
		if len(first) != len(second) {
			t.Skip("answers of different lengths") // deflate is not that exact
		}
		return append(append(slices.Clone(first[:1]), second[1:]...), second...)
	}
	got, conv := m.paste(m.sshd(user), y)
	ended(t, got, conv, Success, "", "signed-in")
	if text := strings.Join(conv.prompts, ""); !strings.Contains(text,
		"These parts make no answer together.") {
		t.Errorf("%q", text)
	}
}

// Nobody is asked for ever.
func TestQuestionsAreBounded(t *testing.T) {
	m := newMachine(t, byToken)
	for name, test := range map[string]struct {
		typed string
		err   error
		want  int
	}{
		"empty": {"", nil, maxPrompts}, "garbage": {"x", nil, maxPastes},
		"too long": {"", ErrTooLong, maxPastes},
	} {
		t.Run(name, func(t *testing.T) {
			conv := &said{typed: func(string, bool) (string, error) { return test.typed, test.err }}
			got := m.signin.Authenticate(t.Context(), m.sshd(user), conv)
			ended(t, got, conv, Refused, "Nothing that was pasted made a whole answer",
				`denied reason="incomplete-answer"`)
			if len(conv.prompts) != test.want || len(conv.last) != 1 {
				t.Errorf("%d questions, then %q", len(conv.prompts), conv.last)
			}
		})
	}
}

// sudo's conversation fails for a long answer, and may be had again: with the same address. It
// fails for Ctrl-C, too: whoever leaves is told nothing of length.
func TestTooLong(t *testing.T) {
	m := newMachine(t, byToken)
	req := m.sshd(user)
	req.Program, req.Service, req.RemoteHost = "sudo", "sudo", ""
	y := &typist{as: user, errors: map[int]error{1: ErrTooLong}}
	got, conv := m.paste(req, y)
	if got != Success || len(conv.told) != 1 || !strings.HasPrefix(conv.prompts[1],
		"That was too long for this program.") || strings.Contains(conv.prompts[1], "http") {
		t.Errorf("verdict %d, told %q, asked %q", got, conv.told, conv.prompts)
	}
}

// A conversation that fails, and time that is up.
func TestQuestionsThatFail(t *testing.T) {
	m := newMachine(t, byToken)
	conv := &said{typed: func(string, bool) (string, error) { return "", io.ErrUnexpectedEOF }}
	if got := m.signin.Authenticate(t.Context(), m.sshd(user), conv); got == Success ||
		len(conv.prompts) != 1 {
		t.Errorf("verdict %d, %q", got, conv.prompts)
	}
	ctx, cancel := context.WithCancel(t.Context())
	conv = &said{typed: func(string, bool) (string, error) { cancel(); return "1/1.t", ctx.Err() }}
	got := m.signin.Authenticate(ctx, m.sshd(user), conv)
	ended(t, got, conv, Refused, "The answer was not pasted in time", `denied reason="expired"`)
	m.unknown(user)
}

// The values that the page shows are bound to the answer: somebody who shows this machine's
// challenge under another name, from another place or for another account gets nothing for it, and
// the log says what it was.
func TestRelayed(t *testing.T) {
	t.Parallel()
	for kind, lines := range map[string]string{"token": byToken, "token as it is": byToken,
		"code": byPastedCode} {
		t.Run(kind, func(t *testing.T) {
			m := newMachine(t, lines)
			size := map[bool]string{true: "C999", false: "T999"}[kind == "code"]
			for key, value := range map[string]string{"m": "build-01", "o": "198.51.100.1",
				"s": "sudo", "u": admin, "p": size} {
				y := &typist{as: user, edit: func(p *page) {
					p.values.Set(key, value)
					p.short = kind == "token"
				}}
				got, conv := m.paste(m.sshd(user), y)
				ended(t, got, conv, Refused, "somebody may be passing your sign-in on",
					`4 denied reason="relayed-answer"`)
			}
			m.unknown(user)
		})
	}
}

// A token that is good for this tenant and application, but was made for nobody's challenge here.
func TestAnotherFlowsToken(t *testing.T) {
	m := newMachine(t, byToken)
	for name, test := range map[string]struct {
		forge *emulator.Forgery
		want  string
	}{
		"no nonce": {&emulator.Forgery{Claims: map[string]any{"nonce": nil}},
			"relayed-answer"},
		"other nonce": {&emulator.Forgery{Claims: map[string]any{"nonce": "x"}},
			"relayed-answer"},
		"other audience":   {&emulator.Forgery{Claims: map[string]any{"aud": "99999999-9999-9999-9999-999999999999"}}, "token-refused"},
		"other tenant":     {&emulator.Forgery{Claims: map[string]any{"tid": "99999999-9999-9999-9999-999999999999"}}, "token-refused"},
		"unsigned":         {&emulator.Forgery{Sign: emulator.None}, "token-refused"},
		"nobody's to sign": {&emulator.Forgery{Sign: emulator.Stranger}, "relayed-answer"},
	} {
		t.Run(name, func(t *testing.T) {
			m.entra.Forge(test.forge)
			got, conv := m.paste(m.sshd(user), &typist{as: user})
			told := map[string]string{"relayed-answer": "somebody may be passing your sign-in on",
				"token-refused": "could not be trusted"}[test.want]
			ended(t, got, conv, Refused, told, `denied reason="`+test.want+`"`)
			m.unknown(user)
		})
	}
}

// How a redemption may be refused: each mistake has its sentence, and its line for the
// administrator.
func TestRedemptionRefused(t *testing.T) {
	m := newMachine(t, byPastedCode)
	for _, test := range []struct {
		number int
		want   Verdict
		told   string
		logged string
	}{
		{54005, Refused, "This answer has been used before", "somebody else redeems"},
		{70008, Refused, "The answer came too late", `reason="expired"`},
		{501481, Refused, "The answer belongs to another attempt", "has not shown"},
		{70000, Refused, "did not take the answer", `aadsts="70000"`},
		{50011, Misconfigured, "is not registered, letter for letter",
			"aadctl setup --flow browser"},
		{9002327, Misconfigured, "registered for a single-page application", "sign_in.answer"},
		{7000218, Misconfigured, "registered for the platform Web", "public clients"},
		{700025, Misconfigured, "adds a secret", "endpoints.proxy"},
		{53003, Denied, "A policy of your organisation does not allow this sign-in",
			"names the policy"},
		{53000, Denied, "Try again with a browser on one", "managed device"},
		{50076, Refused, "second factor", `aadsts="50076"`},
	} {
		t.Run(fmt.Sprint(test.number), func(t *testing.T) {
			y := &typist{as: user, lines: func(parts []string) []string {
				m.entra.Fail(emulator.Fault{Endpoint: "token", Status: 400,
					Error: "invalid_grant", AADSTS: test.number})
				return parts
			}}
			got, conv := m.paste(m.sshd(user), y)
			m.entra.Heal()
			ended(t, got, conv, test.want, test.told, test.logged)
			if strings.Contains(conv.last[0], "device code") {
				t.Errorf("told %q", conv.last)
			}
			m.unknown(user)
		})
	}
}

// The same by the emulator's own rules: a code that was used, one that is too old, and one for a
// page that redeems by itself.
func TestCodesThatAreNoMore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines string
		spoil func(*machine, *page, []string)
		want  Verdict
		told  string
	}{
		"expired": {byPastedCode,
			func(m *machine, _ *page, _ []string) { m.entra.ExpireAuthorizations() },
			Refused, "came too late"},
		"single-page application": {browserFlow + "sign_in.page = \"" + pageSPA +
			"\"\nsign_in.answer = \"code\"\n", nil, Misconfigured, "single-page application"},
		"another attempt's verifier": {byPastedCode, func(m *machine, p *page, _ []string) {},
			Success, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, test.lines)
			var p *page
			y := &typist{as: user, edit: func(opened *page) { p = opened },
				lines: func(parts []string) []string {
					if test.spoil != nil {
						test.spoil(m, p, parts)
					}
					return parts
				}}
			got, conv := m.paste(m.sshd(user), y)
			if text := strings.Join(append(conv.told, conv.last...), ""); got != test.want ||
				!strings.Contains(text, test.told) {
				t.Errorf("verdict %d, told %q, logged %q", got, text, conv.logged)
			}
		})
	}
}

// What ends an attempt stands in a prompt behind sshd, where a message right before the end is not
// shown, and in a message elsewhere.
func TestLastSentence(t *testing.T) {
	m := newMachine(t, byToken)
	for program, inPrompt := range map[string]bool{"sshd": true, "sshd-session": true,
		"sudo": false, "su": false} {
		for _, as := range []string{admin, norole} {
			t.Run(program+" "+as, func(t *testing.T) {
				name := map[string]string{admin: user, norole: norole}[as]
				req := m.sshd(name)
				req.Program = program
				got, conv := m.paste(req, &typist{as: as})
				want := map[string]string{admin: "This sign-in is for",
					norole: "Access denied:"}[as]
				said := strings.Join(conv.told, "")
				if inPrompt {
					said = strings.Join(conv.last, "")
				}
				if got == Success || !strings.Contains(said, want) ||
					inPrompt != strings.HasSuffix(said, "\nPress ENTER. ") ||
					(len(conv.last) == 1) != inPrompt {
					t.Errorf("verdict %d, told %q, last %q", got, conv.told, conv.last)
				}
			})
		}
	}
}

// A window that a browser has opened is good in this flow as in the other: Azure is asked, and
// nobody else.
func TestBrowserFlowReuse(t *testing.T) {
	m := newMachine(t, byToken+"sign_in.reuse_window = \"15m\"\n")
	got, conv := m.paste(m.sshd(user), &typist{as: user})
	ended(t, got, conv, Success, "", "signed-in")
	m.entra.ForgetRequests()
	again := &said{typed: func(string, bool) (string, error) { return "", errors.New("asked") }}
	got = m.signin.Authenticate(t.Context(), m.sshd(user), again)
	ended(t, got, again, Success, "", `reason="reuse"`)
	if len(again.prompts) != 0 || strings.Contains(strings.Join(again.logged, ""), "flow=") {
		t.Errorf("%q, %q", again.prompts, again.logged)
	}
}

// Who waits for an answer holds a place in the waiting room, and gives it back.
func TestBrowserFlowWaits(t *testing.T) {
	m := newMachine(t, byToken+"sign_in.max_waiting = 1\n")
	for range 2 {
		y := &typist{as: user, edit: func(*page) {
			nested := new(said)
			verdict := m.signin.Authenticate(t.Context(), m.sshd(user), nested)
			ended(t, verdict, nested, Unreachable, "Too many sign-ins are waiting",
				"too-many-waiting")
		}}
		got, conv := m.paste(m.sshd(user), y)
		ended(t, got, conv, Success, "", "signed-in")
	}
}
