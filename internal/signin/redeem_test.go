// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// The answer is bound to the values that the page shows. If a page shows this machine's challenge
// with another name, place or account, its answer is refused, and the log says so.
func TestRelayed(t *testing.T) {
	t.Parallel()
	for kind, lines := range map[string]string{
		"token":          byToken,
		"token as it is": byToken,
		"code":           byPastedCode,
	} {
		t.Run(kind, func(t *testing.T) {
			m := newMachine(t, lines)
			size := map[bool]string{true: "C999", false: "T999"}[kind == "code"]
			for key, value := range map[string]string{
				"m": "build-01",
				"o": "198.51.100.1",
				"s": "sudo",
				"u": admin,
				"p": size,
			} {
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

// The token is good for this tenant and application, but not made for this challenge.
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

// A page of another application leaves that out of the token, and the machine puts its own in. So
// the signature is wrong, as with a relayed answer, and the fix names both.
func TestPageOfAnotherApplication(t *testing.T) {
	m := newMachine(t, byToken)
	m.entra.Forge(&emulator.Forgery{
		Claims: map[string]any{"aud": "99999999-9999-9999-9999-999999999999"},
	})
	got, conv := m.paste(m.sshd(user), &typist{as: user, edit: func(p *page) {
		p.short, p.stray = true, true
	}})
	ended(t, got, conv, Refused, "does not belong to what this machine asked for",
		`if everybody is refused, the page is of another application or tenant: aadctl check`)
	m.unknown(user)
}

// Each way in which a redemption is refused has its sentence, and its line for the administrator.
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
		{530003, Denied, "Try again with a browser on one", "managed device"},
		{530004, Denied, "does not trust those of other organisations", "cross-tenant"},
		{50076, Refused, "second factor", `aadsts="50076"`},
	} {
		t.Run(fmt.Sprint(test.number), func(t *testing.T) {
			y := &typist{as: user, lines: func(parts []string) []string {
				m.entra.Fail(emulator.Fault{
					Endpoint: "token", Status: 400, Error: "invalid_grant", AADSTS: test.number,
				})
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

// The emulator refuses by its own rules: a used code, an old code, and a code for a page that
// redeems by itself.
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
			text := strings.Join(append(conv.told, conv.last...), "")
			if got != test.want || !strings.Contains(text, test.told) {
				t.Errorf("verdict %d, told %q, logged %q", got, text, conv.logged)
			}
		})
	}
}
