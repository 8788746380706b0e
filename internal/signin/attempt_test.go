// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var userCode = regexp.MustCompile(`enter the code (\S+) to authenticate`)

// signIn runs an attempt in which this account signs in with the browser.
func (m *machine) signIn(req Request, as string) (Verdict, *said) {
	m.t.Helper()
	return m.run(req, func(code string) error { return m.entra.SignIn(code, as) })
}

func (m *machine) run(req Request, act func(code string) error) (Verdict, *said) {
	m.t.Helper()
	conv := &said{answer: func(prompt string) {
		code := userCode.FindStringSubmatch(prompt)
		if code == nil {
			m.t.Errorf("no code in %q", prompt)
			return
		}
		if err := act(code[1]); err != nil {
			m.t.Error(err)
		}
	}}
	verdict := m.signin.Authenticate(m.t.Context(), req, conv)
	conv.check(m.t, verdict)
	mark := filepath.Join(m.signin.RuntimeDir, "pending", req.Attempt)
	if verdict == Success && !m.aborts {
		// as pam/window.c does, if there is one
		os.Rename(mark, filepath.Join(m.signin.RuntimeDir, "opened", req.Attempt))
	}
	return verdict, conv
}

// again runs the account phase alone.
func (m *machine) again(req Request) (Verdict, *said) {
	m.t.Helper()
	conv := new(said)
	verdict := m.signin.Account(m.t.Context(), req, conv)
	conv.check(m.t, verdict)
	if conv.prompts != nil {
		m.t.Errorf("the account phase asks: %q", conv.prompts)
	}
	return verdict, conv
}

// check fails unless an attempt has exactly one line in the log, the last one (none if the name is
// not ours). Nothing that is shown or logged may hold a secret or a terminal's command.
func (s *said) check(t testing.TB, v Verdict) {
	t.Helper()
	if want := map[bool]int{true: 0, false: 1}[v == NotOurs]; s.ends != want {
		t.Errorf("verdict %d: %d lines, want %d: %q", v, s.ends, want, s.logged)
	}
	if s.ends == 1 && !oneLine.MatchString(s.logged[len(s.logged)-1]) {
		t.Errorf("the last line is %q", s.logged[len(s.logged)-1])
	}
	for _, text := range slices.Concat(s.prompts, s.told, s.last, s.logged) {
		if problem := safe(strings.ReplaceAll(text, "\n", " ")); problem != "" {
			t.Errorf("%q: %s", text, problem)
		}
	}
	for _, line := range s.logged {
		for _, p := range s.prompts {
			code := userCode.FindStringSubmatch(p)
			if code != nil && strings.Contains(line, code[1]) {
				t.Errorf("the log holds the device code: %s", line)
			}
		}
		// A token begins with eyJ. A part of Entra ID's random sign-in id may, too.
		if strings.Contains(signInID.ReplaceAllString(line, ""), "eyJ") ||
			strings.Contains(line, "\n") {
			t.Errorf("the log holds a token or a second line: %q", line)
		}
	}
}

var signInID = regexp.MustCompile(` uti="[A-Za-z0-9_-]{22}"`)

var oneLine = regexp.MustCompile(`^[3-6] (signed-in|authorized|(denied|failed) reason="[a-z-]+") .*account=".+" .*duration="\d+\.\d{3}s" attempt="`)

// ended compares how an attempt ended.
func ended(t testing.TB, got Verdict, conv *said, want Verdict, told, logged string) {
	t.Helper()
	if got != want {
		t.Errorf("verdict %d, want %d; told %q, logged %q", got, want, conv.told, conv.logged)
	}
	all := strings.Join(slices.Concat(conv.told, conv.last), "\n")
	if !strings.Contains(all, told) || (told == "") != (all == "") {
		t.Errorf("told %q, want %q", all, told)
	}
	if all := strings.Join(conv.logged, "\n"); !strings.Contains(all, logged) {
		t.Errorf("logged %q, want %q", all, logged)
	}
}
