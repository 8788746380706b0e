// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// In some programs nobody reads a prompt. sign_in.services keeps most of them from showing a code.
// The listed ones must not be harmed or delayed.

// A conversation without an answer of a person is a refusal, and the worker ends before it could
// wait for the browser.
func TestNobodyReadsThePrompt(t *testing.T) {
	program := filepath.Join(t.TempDir(), "conversations")
	rig.Must(t, "gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror",
		"-fsanitize=address,undefined", "-o", program,
		"testdata/conversations.c", "-lpam")
	rig.Stored(t, "user@contoso.example")
	stack := onlyOurs(t, "")
	for _, kind := range []string{
		"no-function", "fails", "wants-two", "later", "no-array", "no-answer", "fails-with-answer",
		"name", "password", "compares",
	} {
		t.Run(kind, func(t *testing.T) {
			mark := rig.Syslog.Mark()
			out := rig.Must(t, program, kind, stack, "vlock", "user@contoso.example")
			if out != "result "+rig.PAMConvErr+"\n" {
				t.Errorf("%q", out)
			}
			rig.Syslog.Exactly(t, mark, 1,
				`failed reason="conversation-failed" account="user@contoso\.example"`)
			if left := rig.Workers(); len(left) > 0 {
				t.Errorf("workers are left: %v", left)
			}
		})
	}
}

// Hardening guides (CIS) let Debian's pam-auth-update put this into the stacks of all services.
var faillockProfiles = map[string]string{
	"faillock": "Name: Enable pam_faillock to deny access\n" +
		"Default: yes\nPriority: 0\n" +
		"Auth-Type: Primary\nAuth:\n\t[default=die] pam_faillock.so authfail\n",
	"faillock_notify": "Name: Notify of failed login attempts and reset count upon success\n" +
		"Default: yes\nPriority: 1024\n" +
		"Auth-Type: Primary\nAuth:\n\trequisite pam_faillock.so preauth\n" +
		"Account-Type: Primary\nAccount:\n\trequired pam_faillock.so\n",
}

func withFaillock(t *testing.T) {
	t.Helper()
	for name, text := range faillockProfiles {
		path := "/usr/share/pam-configs/" + name
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
	}
	t.Cleanup(func() {
		rig.Must(t, "pam-auth-update", "--package", "--remove", "faillock", "faillock_notify")
	})
	rig.Must(t, "pam-auth-update", "--package", "--enable", "faillock", "faillock_notify")
	text := rig.Must(t, "cat", "/etc/pam.d/common-auth")
	if strings.Count(text, "pam_faillock.so") != 2 {
		t.Fatal(text)
	}
}

// tally returns what pam_faillock has counted against a name.
func tally(t *testing.T, name string) int {
	t.Helper()
	// The heading of that column is "Valid".
	return strings.Count(rig.Must(t, "faillock", "--user", name), " V\n")
}

// Strangers at a mail server lock nobody out of ssh. There, an account of ours is refused at once
// without a worker, before pam_unix asks for a password and pam_faillock counts. A name that only
// has our domain may be a mailbox of another module.
func TestServiceThatShowsNoCode(t *testing.T) {
	const account, stranger = "user@contoso.example", "mailbox@contoso.example"
	rig.LocalUser(t)
	rig.Stored(t, account)
	withFaillock(t)
	rig.Put(t, "/etc/pam.d/imap", "@include common-auth\n@include common-account\n")
	rig.Put(t, "/etc/pam.d/virtual",
		"auth [success=done user_unknown=ignore default=die] pam_aad.so\n"+
			"auth required pam_permit.so\n"+
			"account [success=ok ignore=ignore default=die] pam_aad.so\n"+
			"account required pam_permit.so\n")
	attempt := func(service, name, password string) string {
		out, _ := rig.Command(t, password+"\n", rig.HostProgram(t), service, name,
			"authenticate", "acct_mgmt", "setcred")
		return out
	}
	mark, codes := rig.Syslog.Mark(), rig.Requests("devicecode")
	for range 20 {
		out := attempt("imap", account, "a guess")
		if !strings.Contains(out, "result authenticate "+rig.PAMAuthErr+"\n") ||
			strings.Contains(out, "assword") {
			t.Fatalf("%q", out)
		}
	}
	rig.Syslog.Exactly(t, mark, 20, `denied reason="service-not-listed" account="`+account+
		`" service="imap" attempt=`)
	if n := rig.Requests("devicecode") - codes; n != 0 || tally(t, account) != 0 {
		t.Errorf("%d codes were asked for, faillock: %s", n,
			rig.Must(t, "faillock", "--user", account))
	}

	mark = rig.Syslog.Mark()
	out := attempt("virtual", stranger, "its own")
	if !strings.Contains(out, "result setcred "+rig.PAMSuccess+"\n") {
		t.Errorf("another module's user: %q", out)
	}
	rig.Syslog.Exactly(t, mark, 1, `failed reason="service-not-listed" account="`+stranger+
		`" service="virtual" attempt=`)
	out = attempt("imap", "local", rig.LocalPassword)
	if !strings.Contains(out, "result acct_mgmt "+rig.PAMSuccess+"\n") {
		t.Errorf("a local user: %q", out)
	}
	out = attempt("imap", "local", "wrong")
	if !strings.Contains(out, "assword") || tally(t, "local") != 1 {
		t.Errorf("a local user, refused: %q, faillock: %s", out,
			rig.Must(t, "faillock", "--user", "local"))
	}

	c := rig.SSH(t, account, "id -un")
	c.SignIn(account)
	c.Expect("\n" + account + "\n")

	// The account phase works in every service, and one command shows a code in one more.
	c = rig.Open(t, rig.HostProgram(t), "imap", account, "acct_mgmt")
	c.Expect("result acct_mgmt " + rig.PAMSuccess + "\n")
	// This is restored at the end.
	rig.Edit(t, rig.ConfigFile, func(text string) []byte { return []byte(text) })
	t.Cleanup(func() { rig.Must(t, "aadctl", "config", "apply") })
	rig.Must(t, "aadctl", "config", "add-service", "imap")
	c = rig.Open(t, rig.HostProgram(t), "imap", account, "authenticate")
	c.SignIn(account)
	c.Expect("result authenticate " + rig.PAMSuccess + "\n")
}
