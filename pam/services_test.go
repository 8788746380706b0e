// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/config"
)

// The store's list decides where a code is shown, and without one the usual list. In sshd the
// program decides.
func TestWhereACodeIsShown(t *testing.T) {
	services := harness(t, "services")
	program, err := os.ReadFile(services)
	if err != nil {
		t.Fatal(err)
	}
	called := func(name string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, program, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct{ program, words, want string }{
		// no list
		{services, "show=sshd show=sudo show=cockpit show=polkit-1", "shown shown shown shown"},
		{services, "show=imap show=dovecot show= show=sudo-x show=sud show=other show=cron " +
			"show=SSHD", "refused refused refused refused refused refused refused refused"},
		{services, "listed=imap show=imap show=sudo show=sshd show=",
			"shown refused refused refused"},
		{services, "listed=imap listed=sshd show=imap show=sshd show=sudo", "shown shown refused"},
		{services, "empty-list show=sshd show=sudo", "refused refused"},
		{called("sshd"), "show=sshd show=imap show=", "shown shown shown"},
		{called("sshd-session"), "show=sshd-alt", "shown"},
		{called("sshd-auth"), "show=anything", "shown"},
		{called("sshd"), "listed=sshd show=sshd-alt show=", "shown shown"},
		// one of two sshd
		{called("sshd"), "listed=sshd-alt show=sshd-alt show=sshd show=other",
			"shown refused refused"},
		{called("sshd"), "empty-list show=sshd", "refused"},
		{called("proftpd"), "show=ftp show=sshd", "refused shown"},
	} {
		got := play(t, test.program, strings.Fields(test.words)...)
		if !slices.Equal(got, strings.Fields(test.want)) {
			t.Errorf("%s %s: %q, want %s", filepath.Base(test.program), test.words, got, test.want)
		}
	}
}

// The store may be of a version that had no list. Then the door's own list must be that of the
// configuration.
func TestUsualServices(t *testing.T) {
	c, err := config.Parse("usual", []byte("tenant_id = \"8a09f2d7-8415-4296-92b2-80bb4666c5fc\"\n"+
		"client_id = \"0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b\"\ndomains = [\"contoso.com\"]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := play(t, harness(t, "services"), "usual"); !slices.Equal(got, c.SignIn.Services) {
		t.Errorf("%q in C, %q in Go", got, c.SignIn.Services)
	}
}

// Elsewhere an account is refused for good, and a name that nobody has here is left to the other
// modules. There is no message.
func TestRefusedUnseen(t *testing.T) {
	services := harness(t, "services")
	line := func(verb string) string {
		return "5 " + verb +
			` reason="service-not-listed" account="user@contoso.example" service="imap" attempt="id"`
	}
	for words, want := range map[string]string{
		"stored=YES refuse":             "7 " + line("denied"),
		"stored=YES refuse=70000":       "7 " + line("denied"),
		"stored=NO refuse":              "10 " + line("failed"),
		"stored=NO refuse=70000":        "10 " + line("failed"), // as before a first sign-in
		"stored=UNCERTAIN refuse":       "10 " + line("failed"),
		"stored=UNCERTAIN refuse=70000": "7 " + line("denied"),
		"stored=UNCERTAIN refuse=80000": "7 " + line("denied"),
		"stored=UNCERTAIN refuse=69999": "10 " + line("failed"), // of a directory
		"stored=UNCERTAIN refuse=80001": "10 " + line("failed"),
	} {
		if got := play(t, services, strings.Fields(words)...); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}

// In the account phase a name belongs to another module only if neither the store nor the host has
// it, and no code is shown.
func TestAccountOfAnother(t *testing.T) {
	services := harness(t, "services")
	for words, want := range map[string]string{
		"stored=NO account":              "another's ours",
		"stored=NO account=70000":        "ours ours", // by a key, before the first sign-in
		"stored=YES account":             "ours ours",
		"stored=YES account=70000":       "ours ours",
		"stored=UNCERTAIN account":       "ours ours",
		"stored=UNCERTAIN account=70000": "ours ours",
		"listed=imap stored=NO account":  "ours another's",
		"empty-list stored=NO account":   "another's another's",
	} {
		if got := play(t, services, strings.Fields(words)...); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}
