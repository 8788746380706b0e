// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

const (
	profiles        = "/sys/kernel/security/apparmor/profiles"
	nameserviceRule = "/etc/apparmor.d/abstractions/nameservice.d/aad-login"
)

// TestProfiled is Debian 13 with all of its AppArmor profiles enforced, also those that it has only
// complain.
func TestProfiled(t *testing.T) {
	needGuest(t, "apparmor")
	text, err := os.ReadFile(profiles)
	if enforced := strings.Count(string(text), " (enforce)\n"); err != nil || enforced < 30 ||
		strings.Contains(string(text), "(complain)") {
		t.Fatalf("%v; %d profiles are enforced:\n%s", err, enforced, text)
	}
	steps(t, []step{
		{"install", func(t *testing.T) {
			rig.Must(t, "dpkg", "--install", "/opt/vm/aad-login.deb")
			configure(t)
		}},
		{"clock", clockFarOff},
		{"administrator", func(t *testing.T) { inSession(t, rig.Admin) }},
		{"sudo", sudoByCode},
		{"user", func(t *testing.T) { inSession(t, rig.User) }},
		{"key", byKey},
		{"check", checked},
		{"denials", func(t *testing.T) {
			for _, line := range unwanted(rig.Must(t, "journalctl", "--boot", "--quiet",
				"--output=cat"), `apparmor="DENIED"`, nil) {
				t.Error(line)
			}
		}},
		{"names in a profile", namesInAProfile},
		{"lingering", leaveLingering},
	})
}

// namesInAProfile has a program look up names in a profile of the kind that daemons have: it takes
// the line that the package brings.
func namesInAProfile(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "vm-names")
	text := "abi <abi/4.0>,\ninclude <tunables/global>\nprofile vm-names {\n  include " +
		"<abstractions/base>\n  include <abstractions/nameservice>\n  /usr/bin/getent mr,\n}\n"
	if err := os.WriteFile(profile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ask := func() int {
		rig.Must(t, "apparmor_parser", "--replace", "--skip-cache", profile)
		_, status := rig.Command(t, "", "aa-exec", "--profile", "vm-names", "--",
			"getent", "passwd", rig.User)
		return status
	}
	if status := ask(); status != 2 {
		t.Errorf("without the line, getent's exit status is %d: the line is not needed", status)
	}
	rig.Must(t, "install", "-D", "-m", "0644", "/usr/share/aad-login/apparmor-nameservice",
		nameserviceRule)
	if status := ask(); status != 0 {
		t.Errorf("with the line, getent's exit status is %d", status)
	}
}
