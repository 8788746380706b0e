// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Both kinds of answer let the person in, with one paste for each part. Before the first paste,
// nothing of the attempt goes to Entra ID. An ID token needs no request of the machine at all.
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
							r.Endpoint == "authorize" ||
							cache == "warm" && (r.Endpoint == "openid" || r.Endpoint == "keys") {
							t.Errorf("%s cache: asked for %s before anything was pasted",
								cache, r.Endpoint)
						}
					}
				}}
				got, conv := m.paste(m.sshd(user), y)
				ended(t, got, conv, Success, "", `flow="browser"`)
				if len(conv.prompts) != len(y.shown) || len(conv.last) != 0 ||
					slices.Contains(y.echo, true) {
					t.Errorf("%d questions for %d parts; then %q",
						len(conv.prompts), len(y.shown), conv.last)
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

// A prompt's first line is short, and the address has a line to itself. The length that a program
// takes decides how the page divides the answer.
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
			if !strings.Contains(y.address, origin) ||
				!strings.Contains(y.address, "&s="+test.service+"&") ||
				!strings.Contains(y.address, "&u="+user+"&") {
				t.Error(y.address)
			}
		})
	}
}

// The next prompt reacts to each kind of paste. All of these people get in.
func TestConversations(t *testing.T) {
	m := newMachine(t, byToken)
	other := "1/1.tAAAA." + hash64("1/1.tAAAA.x")[:6] + ".x;"
	for name, test := range map[string]struct {
		lines func(parts []string) []string
		says  []string // the questions after the first, in pieces
	}{
		"in order":    {nil, []string{"Part 2 of 3: ", "Part 3 of 3: "}},
		"all at once": {func(p []string) []string { return []string{strings.Join(p, "")} }, nil},
		"backwards": {func(p []string) []string {
			slices.Reverse(p)
			return p
		}, []string{"Part 1 of 3: ", "Part 1 of 3: "}},
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
				got := conv.prompts[i+1]
				if !strings.Contains(got, want) || strings.Contains(got, "http") {
					t.Errorf("question %d: %q, want %q", i+2, got, want)
				}
			}
			if strings.Contains(strings.Join(conv.prompts, ""), "hunter2") {
				t.Error("what was typed is shown")
			}
		})
	}
}

// A window that a browser has opened works in this flow as in the other: only Azure is asked.
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

// An attempt that waits for an answer holds a place in the waiting room, and gives it back.
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
