// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"os"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// authselected is a machine of the RHEL family where authselect has written PAM's files, with a
// profile and its features.
func authselected(t *testing.T, profile ...string) {
	t.Helper()
	family(t, "redhat")
	rig.Must(t, "sh", "-c", `mkdir -p /usr/share/authselect/default /etc/authselect/custom &&
		cp -r testdata/authselect/*/ /usr/share/authselect/default/ && install testdata/authselect/authselect /usr/bin/ &&
		cc -shared -fPIC -o /lib/x86_64-linux-gnu/security/pam_sss.so testdata/pam_sss.c`)
	t.Cleanup(func() {
		rig.Must(t, "rm", "-r", "/usr/share/authselect", "/usr/bin/authselect",
			"/lib/x86_64-linux-gnu/security/pam_sss.so")
	})
	authselect(t, append([]string{"select", "--force"}, profile...)...)
}

func authselect(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(rig.Must(t, "authselect", args...))
}

// Where authselect is in charge, it stays so: our lines come with a profile of its own kind, the
// administrator's features stay, and the former profile comes back. Most such machines name sssd in
// their profile. Here, as on many of them, sssd does not run.
func TestRPMWithAuthselect(t *testing.T) {
	long(t)
	authselected(t, "sssd", "with-faillock")
	l := rig.NewLocals(t)
	before := rig.Wiring(t)
	mustRPM(t, "1.2.3")
	if got := authselect(t, "current", "--raw"); got != "custom/aad-login with-faillock with-aad" {
		t.Errorf("selected: %s", got)
	}
	l.GetIn(t, "installed")
	signsIn(t)
	authselect(t, "enable-feature", "with-pamaccess")
	mustRPM(t, "1.2.4")
	got := authselect(t, "current", "--raw")
	if got != "custom/aad-login with-faillock with-pamaccess with-aad" {
		t.Errorf("upgraded: %s", got)
	}
	mustRPM(t, "")
	if got := authselect(t, "current", "--raw"); got != "sssd with-faillock with-pamaccess" {
		t.Errorf("erased: %s", got)
	}
	l.GetIn(t, "erased")
	authselect(t, "select", "sssd", "with-faillock")
	for _, line := range rig.Differences(before, rig.Wiring(t)) {
		t.Errorf("erased: %s", line)
	}
}

// Edits in authselect's files would be lost. So they are found before anything changes, at the
// installation and at the removal. After opting out of authselect, these files are like any others.
func TestRPMKeepsEditsOfAuthselectsFiles(t *testing.T) {
	long(t)
	authselected(t, "minimal")
	line := func(file string) {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString("session optional pam_permit.so\n"); err != nil {
			t.Fatal(err)
		}
	}
	unchanged := func(what, says string, run func() (string, int)) {
		t.Helper()
		before := rig.Wiring(t)
		if out, status := run(); status == 0 || !strings.Contains(out, says) {
			t.Errorf("%s: exit status %d, said %s", what, status, out)
		}
		for _, line := range rig.Differences(before, rig.Wiring(t)) {
			t.Errorf("%s: %s", what, line)
		}
	}
	rig.Must(t, "mkdir", "-p", "/etc/authselect/custom/aad-login")
	unchanged("a profile of somebody's", "a profile custom/aad-login already",
		func() (string, int) { return rpmInstall(t, "1.2.3") })
	rig.Must(t, "rmdir", "/etc/authselect/custom/aad-login")
	line("/etc/authselect/system-auth")
	unchanged("installed", "edited by hand", func() (string, int) { return rpmInstall(t, "1.2.3") })
	authselect(t, "opt-out")
	before := rig.Wiring(t)
	mustRPM(t, "1.2.3")
	signsIn(t)
	mustRPM(t, "")
	for _, line := range rig.Differences(before, rig.Wiring(t)) {
		t.Errorf("opted out, erased: %s", line)
	}
	authselect(t, "select", "minimal", "--force")
	mustRPM(t, "1.2.3")
	rig.Must(t, "getent", "group", "aad_users")
	line("/etc/authselect/password-auth")
	unchanged("erased", "edited by hand", func() (string, int) {
		return rig.Command(t, "", "rpm", "-e", "aad-login")
	})
}
