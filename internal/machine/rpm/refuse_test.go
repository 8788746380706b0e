// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// An obstacle to the rpm is found before anything has changed, and the message says what to do.
func TestRPMRefuses(t *testing.T) {
	long(t)
	family(t, "redhat")
	for file, c := range map[string]struct{ text, says string }{
		"/usr/lib64/security/pam_aad.so": {"of another maker", "Move it away"},
		"/usr/lib64/libnss_aad.so.2":     {"of another maker", "Move it away"},
		"/etc/sudoers.d/aad_admins": {"%aad_admins ALL=(ALL) NOPASSWD: ALL\n",
			"Move it away"},
		"/etc/ssh/sshd_config.d/40-aad-login.conf": {"\n", "Move it away"},
		"/etc/nsswitch.conf": {"passwd: aad files\ngroup: files\n",
			"Take it out"},
		"/etc/pam.d/cockpit": {"auth required pam_aad.so\n", "Take its lines out"},
	} {
		t.Run(file, func(t *testing.T) {
			rig.Must(t, "mkdir", "-p", "/usr/lib64/security")
			rig.Put(t, file, c.text)
			before := rig.Wiring(t)
			out, status := rpmInstall(t, "1.2.3")
			if status == 0 || !strings.Contains(out, file) || !strings.Contains(out, c.says) {
				t.Errorf("exit status %d, said %s", status, out)
			}
			for _, line := range rig.Differences(before, rig.Wiring(t)) {
				t.Error(line)
			}
			if out, status := rig.Command(t, "", "rpm", "-q", "aad-login"); status == 0 {
				t.Errorf("it is installed: %s", out)
			}
		})
	}
}

// A file that cannot be replaced is found then, too.
func TestRPMRefusesWhatCannotBeReplaced(t *testing.T) {
	long(t)
	family(t, "redhat")
	for name, c := range map[string]struct {
		file string
		keep func(t *testing.T, file string)
	}{
		"immutable":       {"/etc/nsswitch.conf", rig.MakeImmutable},
		"read-only":       {"/etc/nsswitch.conf", rig.MountReadOnly},
		"a stack":         {"/etc/pam.d/system-auth", rig.MountOn},
		"read-only rules": {"/etc/sudoers.d", rig.MountReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			before := rig.Wiring(t)
			c.keep(t, c.file)
			out, status := rpmInstall(t, "1.2.3")
			if status == 0 || !strings.Contains(out, "cannot be ") ||
				!strings.Contains(out, "nothing has been changed. See whether") {
				t.Errorf("exit status %d, said %s", status, out)
			}
			for _, line := range rig.Differences(before, rig.Wiring(t)) {
				t.Errorf("something was changed all the same: %s", line)
			}
		})
	}
}

// An sshd that would not start is found before anything is wired. rpm still takes the package for
// installed. The command to run after mending it does the rest. A line that an administrator has
// added keeps the package from being erased.
func TestRPMGoesOnWhenMended(t *testing.T) {
	long(t)
	family(t, "redhat")
	rig.Put(t, "/etc/ssh/sshd_config.d/zz.conf", "NoSuchKeyword yes\n")
	before := rig.Wiring(t)
	out, _ := rpmInstall(t, "1.2.3")
	if !strings.Contains(out, "zz.conf: line 1: Bad configuration option") ||
		!strings.Contains(out, "run: "+shared+"wiring add") {
		t.Errorf("said %s", out)
	}
	for _, line := range rig.Differences(before, rig.Wiring(t)) {
		if !strings.Contains(line, "/etc/aad-login") {
			t.Error(line)
		}
	}
	rig.Must(t, "rm", "/etc/ssh/sshd_config.d/zz.conf")
	rig.Must(t, shared+"wiring", "add")
	signsIn(t)
	rig.Put(t, "/etc/pam.d/cockpit", "auth required pam_aad.so\n")
	installed := rig.Wiring(t)
	out, status := rig.Command(t, "", "rpm", "-e", "aad-login")
	if status == 0 || !strings.Contains(out, "/etc/pam.d/cockpit names pam_aad.so") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	for _, line := range rig.Differences(installed, rig.Wiring(t)) {
		t.Error(line)
	}
}

// Wiring and unwiring a machine may be killed between any two steps. From each, the next run
// reaches the end.
func TestRPMLocksNobodyOut(t *testing.T) {
	long(t)
	for name, become := range families {
		if name == "azurelinux" {
			continue // the same steps as redhat
		}
		t.Run(name, func(t *testing.T) {
			become(t)
			l := rig.NewLocals(t)
			getIn := func(when string) { l.GetIn(t, when) }
			before := rig.Wiring(t)
			mustRPM(t, "1.2.3")
			installed := rig.Wiring(t)
			rig.KilledAtEach(t, shared+"wiring", []string{"remove"}, getIn)
			for _, line := range rig.Differences(before, rig.Wiring(t)) {
				if !strings.Contains(line, "/etc/aad-login") {
					t.Errorf("unwired: %s", line)
				}
			}
			rig.KilledAtEach(t, shared+"wiring", []string{"add"}, getIn)
			if name == "suse" {
				rig.KilledAtEach(t, shared+"common-files", []string{"remove"}, getIn)
				rig.KilledAtEach(t, shared+"common-files", []string{"add"}, getIn)
			}
			for _, line := range rig.Differences(installed, rig.Wiring(t)) {
				t.Errorf("wired again: %s", line)
			}
			mustRPM(t, "")
		})
	}
}
