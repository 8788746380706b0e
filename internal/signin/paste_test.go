// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
)

// Parts of two answers are good, each for its own answer. Together they make no answer, and the
// person is asked for new ones.
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
	text := strings.Join(conv.prompts, "")
	if !strings.Contains(text, "These parts make no answer together.") {
		t.Errorf("%q", text)
	}
}

// The number of questions is bounded.
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

// sudo's conversation fails for a long answer, and may then be used again, with the same address.
// It fails for Ctrl-C, too, and a person who leaves is told nothing about length.
func TestTooLong(t *testing.T) {
	m := newMachine(t, byToken)
	req := m.sshd(user)
	req.Program, req.Service, req.RemoteHost = "sudo", "sudo", ""
	y := &typist{as: user, errors: map[int]error{1: ErrTooLong}}
	got, conv := m.paste(req, y)
	if got != Success || len(conv.told) != 1 ||
		!strings.HasPrefix(conv.prompts[1], "That was too long for this program.") ||
		strings.Contains(conv.prompts[1], "http") {
		t.Errorf("verdict %d, told %q, asked %q", got, conv.told, conv.prompts)
	}
}

// A conversation fails, or the time is up.
func TestQuestionsThatFail(t *testing.T) {
	m := newMachine(t, byToken)
	conv := &said{typed: func(string, bool) (string, error) { return "", io.ErrUnexpectedEOF }}
	got := m.signin.Authenticate(t.Context(), m.sshd(user), conv)
	if got == Success || len(conv.prompts) != 1 {
		t.Errorf("verdict %d, %q", got, conv.prompts)
	}
	ctx, cancel := context.WithCancel(t.Context())
	conv = &said{typed: func(string, bool) (string, error) { cancel(); return "1/1.t", ctx.Err() }}
	got = m.signin.Authenticate(ctx, m.sshd(user), conv)
	ended(t, got, conv, Refused, "The answer was not pasted in time", `denied reason="expired"`)
	m.unknown(user)
}

// Behind sshd the reason of a failure stands in a prompt, because OpenSSH shows no message right
// before the end. Elsewhere it stands in a message.
func TestLastSentence(t *testing.T) {
	m := newMachine(t, byToken)
	for program, inPrompt := range map[string]bool{
		"sshd":         true,
		"sshd-session": true,
		"sudo":         false,
		"su":           false,
	} {
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
