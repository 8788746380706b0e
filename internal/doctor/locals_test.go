// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// internal/machine/hosts/controls_test.go shows with libpam which controls keep local users out.
func TestLinesThatKeepLocalsOut(t *testing.T) {
	const own, either = "[success=done user_unknown=ignore default=die]", "[success=1 " +
		"default=ignore]"
	for control, bad := range map[string]string{ // by the type of the line
		"sufficient": "", "optional": "", either: "",
		"required":  "auth",
		"requisite": "auth",
		"REQUIRED":  "auth",
		own:         "account session password",
		"[success=done user_unknown=ignore ignore=ignore module_unknown=ignore default=die]": "",
		"[success=1 ignore=1 module_unknown=ignore default=die]":                             "auth",
		"[success=2 user_unknown=1 default=die]":                                             "auth account session password",
		"[success=ok ignore=ignore default=bad]":                                             "auth",
	} {
		for _, kind := range []string{"auth", "account", "session", "password"} {
			files := map[string]string{"atd": "# at\n\n" + kind + " " + control +
				" pam_aad.so debug\n" + kind + " required pam_permit.so\n"}
			findings := pamOf(files).shutOut()
			if want := strings.Contains(bad, kind); want != (len(findings) == 1) ||
				len(findings) > 1 {
				t.Errorf("%s %s: %s", kind, control, told(findings...))
				continue
			} else if !want {
				continue
			}
			r := findings[0]
			if r.Status != Failed || !strings.HasPrefix(r.Found, "/etc/pam.d/atd:3: with control "+
				control+" in front of pam_aad.so, accounts of this machine cannot ") {
				t.Errorf("%s %s: %s", kind, control, told(r))
			}
			_, right, _ := strings.Cut(r.Fix, "the line should be: ")
			if again := pamOf(map[string]string{"atd": right}).shutOut(); len(again) != 0 ||
				!strings.HasSuffix(right, " pam_aad.so debug") {
				t.Errorf("%s %s: the way out is %q, and that: %s", kind,
					control, r.Fix, told(again...))
			}
		}
	}
}

// A line is reported once, however many services include it, and not where local users never reach
// it. A copy that libpam does not read belongs to nobody.
func TestLinesThatKeepLocalsOutAreToldOnce(t *testing.T) {
	files := map[string]string{
		"common-auth": "auth \\\n  required \\\n pam_aad.so\nauth required " +
			"/lib/security/pam_aad.so\n",
		"sshd": "@include common-auth\naccount [success=ok default=die] " +
			"pam_aad.so\naccount requisite pam_succeed_if.so quiet user notingroup aad_users\n",
		"sudo": "auth include common-auth\naccount sufficient pam_localuser.so\naccount " +
			"[success=ok default=die] pam_aad.so\n",
		"su.dpkg-old": "auth required pam_aad.so\n", "cron~": "auth required pam_aad.so\n",
	}
	h := pamOf(files)
	findings := h.shutOut()
	for _, found := range []string{"/etc/pam.d/common-auth:1: ", "/etc/pam.d/common-auth:4: ",
		"/etc/pam.d/sshd:2: "} {
		expect(t, findings, Failed, found)
	}
	if len(findings) != 3 {
		t.Errorf("%s", told(findings...))
	}
	for _, r := range findings {
		switch {
		case strings.Contains(r.Found, "common-auth:1:") && r.Command != "":
			t.Errorf("a line over three: %s", r.Command)
		case strings.Contains(r.Found, "sshd:2:") && !strings.HasSuffix(r.Fix, ownAccount):
			t.Errorf("in front of the guard: %s", r.Fix)
		}
	}
}

// The printed command writes the line beside it, and changes nothing else.
func TestCommandThatLetsLocalsIn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "service")
	if err := os.WriteFile(file,
		[]byte("auth required pam_env.so\nauth requisite pam_aad.so config=/a/b.toml\nauth "+
			"required pam_unix.so\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := pamOf(map[string]string{"sshd": "auth required pam_env.so\nauth requisite pam_aad.so " +
		"config=/a/b.toml\nauth required pam_unix.so\n"})
	findings := h.shutOut()
	if len(findings) != 1 {
		t.Fatal(told(findings...))
	}
	command := strings.ReplaceAll(findings[0].Command, "/etc/pam.d/sshd", file)
	if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v %s", command, err, out)
	}
	text, err := os.ReadFile(file)
	want := "auth required pam_env.so\n" + ownAuth +
		" config=/a/b.toml\nauth required pam_unix.so\n"
	if err != nil || string(text) != want {
		t.Errorf("%q, %v, want %q", text, err, want)
	}
}
