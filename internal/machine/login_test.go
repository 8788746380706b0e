// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// On a terminal a line counts down until the browser is done; ENTER is not waited for.
func TestAadctlLoginOnTerminal(t *testing.T) {
	const name = "admin@contoso.example"
	c := open(t, "aadctl", "login", name)
	page, code := c.prompted()
	c.expect(`[-|] waiting for the browser, 4:[34]\d left `)
	browse(t, page, code, name)
	c.expect(regexp.QuoteMeta(name) + ` may sign in here as administrator: uid \d+, home /home/` + regexp.QuoteMeta(name))
	if status, rest := c.end(); status != 0 {
		t.Fatalf("exit status %d: %s", status, rest)
	}
}

// loginAs runs aadctl login without a terminal, with this person in the browser.
func loginAs(t *testing.T, name, as string) (out string, status int) {
	t.Helper()
	before := entra.PendingCodes() // nobody's any more, but good still
	cmd := exec.Command("aadctl", "login", name)
	done := make(chan []byte, 1)
	go func() {
		out, _ := cmd.CombinedOutput()
		done <- out
	}()
	eventually(t, "a code, or the end", patience, func() bool {
		return len(done) > 0 || len(entra.PendingCodes()) > len(before)
	})
	for _, code := range entra.PendingCodes()[len(before):] {
		if err := entra.SignIn(code.UserCode, as); err != nil {
			t.Error(err)
		}
	}
	said := <-done
	return string(said), cmd.ProcessState.ExitCode()
}

// Without a terminal there are plain lines, and the exit status tells the ends apart.
func TestAadctlLogin(t *testing.T) {
	t.Cleanup(entra.Heal)
	for _, test := range []struct {
		name   string
		user   string
		as     string
		fault  *emulator.Fault
		said   string
		status int
	}{
		{"a user", "user@contoso.example", "user@contoso.example", nil, `(?m)^user@contoso.example may sign in here: uid \d+`, 0},
		{"no role", "norole@contoso.example", "norole@contoso.example", nil,
			`Access denied:  to sign-in(?s).*aadctl: login: `, 1},
		{"another person", "user@contoso.example", "admin@contoso.example", nil, "but admin@contoso.example signed in", 1},
		{"nobody answers", "user@contoso.example", "", &emulator.Fault{Endpoint: "devicecode", Reset: true},
			"cannot be reached", 4},
		{"no public client", "user@contoso.example", "",
			&emulator.Fault{Endpoint: "devicecode", Status: 401, Error: "invalid_client", AADSTS: 7000218},
			"aadctl: hint: aadctl check", 3},
		{"a local account", "root", "", nil, `aadctl: login: "root" is not a name of the configured domains`, 1},
		{"another spelling", "User@contoso.example", "", nil, `is spelled user@contoso.example here`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			entra.Heal()
			if test.fault != nil {
				entra.Fail(*test.fault)
			}
			out, status := loginAs(t, test.user, test.as)
			if status != test.status || !regexp.MustCompile(test.said).MatchString(out) || strings.Contains(out, "\r") {
				t.Errorf("exit status %d, want %d, said\n%s", status, test.status, out)
			}
		})
	}
}

// The account phase has its say, as in sshd.
func TestAadctlLoginAsksTheAccountPhase(t *testing.T) {
	edit(t, "/etc/pam.d/common-account", begin("account requisite pam_deny.so\n"))
	const name = "user@contoso.example"
	if out, status := loginAs(t, name, name); status != 1 || strings.Contains(out, "may sign in") {
		t.Errorf("exit status %d, said\n%s", status, out)
	}
}

// A stack that asks for a password is refused it.
func TestAadctlLoginAsksForNoPassword(t *testing.T) {
	edit(t, "/etc/pam.d/common-auth", func(text string) []byte {
		return regexp.MustCompile(`(?m)^auth.*pam_aad.so.*$`).ReplaceAll([]byte(text), nil)
	})
	if out, status := loginAs(t, "user@contoso.example", ""); status != 1 || strings.Contains(out, "assword:") {
		t.Errorf("exit status %d, said\n%s", status, out)
	}
}
