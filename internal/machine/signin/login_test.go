// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// On a terminal, a line counts down until the browser is done, without an ENTER.
func TestAadctlLoginOnTerminal(t *testing.T) {
	const name = "admin@contoso.example"
	c := rig.Open(t, "aadctl", "login", name)
	page, code := c.Prompted()
	c.Expect(`[-|] waiting for the browser, 4:[34]\d left `)
	rig.Browse(t, page, code, name)
	c.Expect(regexp.QuoteMeta(name) + ` may sign in here as administrator: uid \d+, home /home/` +
		regexp.QuoteMeta(name))
	if status, rest := c.End(); status != 0 {
		t.Fatalf("exit status %d: %s", status, rest)
	}
}

// The picture is aadctl's own, because a Go program has no locale that the module could use. It is
// in colour if the terminal allows it. If it was asked for and cannot be drawn, the reason is
// printed.
func TestAadctlLoginPicture(t *testing.T) {
	const user = "user@contoso.example"
	for _, test := range []struct {
		name, before, flag string
		configured, drawn  bool
		colour             bool
		says               string
	}{
		{name: "asked for", flag: "--qr", drawn: true},
		{name: "not asked for"},
		{name: "configured", configured: true, drawn: true},
		{name: "not this time", configured: true, flag: "--qr=false"},
		{name: "in colour", before: "TERM=xterm", flag: "--qr", drawn: true, colour: true},
		{name: "NO_COLOR", before: "TERM=xterm NO_COLOR=1", flag: "--qr", drawn: true},
		{name: "on just enough columns", before: "stty cols 37;", flag: "--qr", drawn: true},
		{name: "on one less", before: "stty cols 36;", flag: "--qr",
			says: "aadctl: login: no QR code: the terminal's 36 columns are too few"},
		{name: "configured, on one less", before: "stty cols 36;", configured: true},
		{name: "without UTF-8", before: "LC_ALL=C", flag: "--qr",
			says: "aadctl: login: no QR code: the locale is not one of UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.configured {
				withPictures(t)
			}
			c := rig.Open(t, "sh", "-c", "stty cols 60; "+test.before+
				" exec aadctl login "+test.flag+" "+user)
			page, code, drawn := pictured(c, t)
			if drawn != test.drawn || strings.Contains(c.All(), "\x1b") != test.colour ||
				strings.Contains(c.All(), "no QR code") != (test.says != "") ||
				!strings.Contains(c.All(), test.says) {
				t.Errorf("said %q", c.All())
			}
			rig.Browse(t, page, code, user)
			c.Expect(user + ` may sign in here: uid \d+`)
		})
	}
}

// After Ctrl-C the line is wiped, the module's line is in the log, and the shell sees the signal.
func TestAadctlLoginInterrupted(t *testing.T) {
	for columns, line := range map[string]string{
		"60": ` left (\^C|\^C[-\\|/] waiting for the browser, \d:\d\d left ) {39}$`,
		"20": ` waiting for the(\^C|\^C[-\\|/] waiting for the) {19}$`,
	} {
		t.Run(columns+" columns", func(t *testing.T) {
			mark := rig.Syslog.Mark()
			c := rig.Open(t, "sh", "-c", "stty cols "+columns+
				"; exec aadctl login user@contoso.example")
			c.Prompted()
			c.Expect(`waiting for the`)
			rig.Polled(t)
			if _, err := c.PTY.WriteString("\x03"); err != nil {
				t.Fatal(err)
			}
			_, rest := c.End()
			s, ok := c.Cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !ok || s.Signal() != syscall.SIGINT {
				t.Errorf("ended with %v", c.Cmd.ProcessState)
			}
			if !regexp.MustCompile(line).MatchString(c.All()) {
				t.Errorf("left %q on the terminal", rest)
			}
			rig.Syslog.Exactly(t, mark, 1, `failed reason="interrupted" .*service="sshd"`)
			rig.Syslog.Exactly(t, mark, 1, `account="user@contoso.example"`)
			rig.NobodyWaits(t)
		})
	}
}

// loginAs runs aadctl login without a terminal, with this account in the browser.
func loginAs(t *testing.T, name, as string) (out string, status int) {
	t.Helper()
	before := rig.Entra.PendingCodes() // nobody's any more, but good still
	cmd := exec.Command("aadctl", "login", name)
	done := make(chan []byte, 1)
	go func() {
		out, _ := cmd.CombinedOutput()
		done <- out
	}()
	rig.Eventually(t, "a code, or the end", rig.Patience, func() bool {
		return len(done) > 0 || len(rig.Entra.PendingCodes()) > len(before)
	})
	for _, code := range rig.Entra.PendingCodes()[len(before):] {
		if err := rig.Entra.SignIn(code.UserCode, as); err != nil {
			t.Error(err)
		}
	}
	said := <-done
	return string(said), cmd.ProcessState.ExitCode()
}

// Without a terminal there are plain lines, and each ending has its exit status.
func TestAadctlLogin(t *testing.T) {
	t.Cleanup(rig.Entra.Heal)
	for _, test := range []struct {
		name   string
		user   string
		as     string
		fault  *emulator.Fault
		said   string
		status int
	}{
		{"a user", "user@contoso.example", "user@contoso.example", nil,
			`(?m)^user@contoso.example may sign in here: uid \d+`, 0},
		{"no role", "norole@contoso.example", "norole@contoso.example", nil,
			`Access denied:  to sign-in(?s).*aadctl: login: `, 1},
		{"another person", "user@contoso.example", "admin@contoso.example", nil,
			"but admin@contoso.example signed in", 1},
		{"nobody answers", "user@contoso.example", "",
			&emulator.Fault{Endpoint: "devicecode", Reset: true},
			"cannot be reached", 4},
		{"no public client", "user@contoso.example", "",
			&emulator.Fault{Endpoint: "devicecode", Status: 401,
				Error: "invalid_client", AADSTS: 7000218},
			"aadctl: hint: aadctl check", 3},
		{"a local account", "root", "", nil,
			`aadctl: login: "root" is not a name of the configured domains`, 1},
		{"another spelling", "User@contoso.example", "", nil,
			`is spelled user@contoso.example here`, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			rig.Entra.Heal()
			if test.fault != nil {
				rig.Entra.Fail(*test.fault)
			}
			out, status := loginAs(t, test.user, test.as)
			if status != test.status || !regexp.MustCompile(test.said).MatchString(out) ||
				strings.Contains(out, "\r") {
				t.Errorf("exit status %d, want %d, said\n%s", status, test.status, out)
			}
		})
	}
}

// The account phase decides, as in sshd.
func TestAadctlLoginAsksTheAccountPhase(t *testing.T) {
	rig.Edit(t, "/etc/pam.d/common-account", rig.BeginWith("account requisite pam_deny.so\n"))
	const name = "user@contoso.example"
	if out, status := loginAs(t, name, name); status != 1 || strings.Contains(out, "may sign in") {
		t.Errorf("exit status %d, said\n%s", status, out)
	}
}

// A stack that asks for a password gets none.
func TestAadctlLoginAsksForNoPassword(t *testing.T) {
	rig.Edit(t, "/etc/pam.d/common-auth", func(text string) []byte {
		return regexp.MustCompile(`(?m)^auth.*pam_aad.so.*$`).ReplaceAll([]byte(text), nil)
	})
	out, status := loginAs(t, "user@contoso.example", "")
	if status != 1 || strings.Contains(out, "assword:") {
		t.Errorf("exit status %d, said\n%s", status, out)
	}
}
