// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"os"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// rightLabels are those that the policy has.
func rightLabels(t *testing.T, files ...string) {
	t.Helper()
	if out, status := rig.Command(t, "", "matchpathcon",
		append([]string{"-V"}, files...)...); status != 0 {
		t.Errorf("%s", out)
	}
}

func labelsAreRight(t *testing.T) {
	t.Helper()
	rightLabels(t, "/var/lib/aad-login", rig.StoreFile, "/var/lib/aad-login/grants",
		"/var/cache/aad-login", "/run/aad-login", "/usr/sbin/mkhomedir_helper")
	if out := rig.Must(t, "restorecon", "-R", "-n", "-v", "/var/lib/aad-login", "/etc/aad-login",
		"/var/cache/aad-login", "/run/aad-login"); out != "" {
		t.Errorf("restorecon would say %s", out)
	}
	if !rig.Immutable(t, rig.StoreFile) {
		t.Error("the store is not sealed")
	}
}

// unlabelledStore is one from before the module, or from an archive: nobody signs in, and the check
// says why and what to do.
func unlabelledStore(t *testing.T) {
	rig.MakeMutable(t, rig.StoreFile)
	rig.Must(t, "chcon", "-t", "var_lib_t", rig.StoreFile)
	rig.Must(t, "chattr", "+i", rig.StoreFile)
	if out, status := rig.Command(t, "", "restorecon", "-R", "/var/lib/aad-login"); status == 0 {
		t.Errorf("restorecon can label what is immutable, and said %q", out)
	}
	out, status := rig.Command(t, "", "aadctl", "check", "--offline", "--json")
	wrong := rig.WrongOf(t, out)
	if status == 0 || len(wrong) != 1 || wrong[0].Check != "selinux" ||
		wrong[0].Command != "aadctl store relabel" {
		t.Errorf("exit status %d: %+v", status, wrong)
	}
	c := guestSSH(t, nil, rig.User, "echo in")
	if status, said := c.End(); status != 255 || strings.Contains(said, "To sign in") {
		t.Errorf("exit status %d, said %q", status, said)
	}
	if out := rig.Must(t, "aadctl", "store", "relabel"); !strings.Contains(out,
		"Relabeled "+rig.StoreFile+" from ") {
		t.Errorf("aadctl said %q", out)
	}
	labelsAreRight(t)
	inSession(t, rig.User)
}

// restoredStore puts stores back in two ways. A person who moves a copy into place brings the label
// of the place where the copy was, and the next boot corrects it; here the unit of that boot is
// started. aadctl labels the store at once, and seals it.
func restoredStore(t *testing.T) {
	const copied = "/var/tmp/accounts.cdb" // of the same file system
	t.Cleanup(func() { os.Remove(copied) })
	rig.Must(t, "cp", rig.StoreFile, copied)
	rig.MakeMutable(t, rig.StoreFile)
	if err := os.Rename(copied, rig.StoreFile); err != nil {
		t.Fatal(err)
	}
	if out, status := rig.Command(t, "", "matchpathcon", "-V", rig.StoreFile); status == 0 {
		t.Errorf("the moved copy has the right label: %s", out)
	}
	labelledByUnit(t)
	rig.Must(t, "cp", rig.StoreFile, copied)
	rig.Must(t, "aadctl", "store", "restore", copied)
	labelsAreRight(t)
	rig.Must(t, "rm", "-r", "/var/lib/aad-login/grants") // a backup of the store alone has none
	inSession(t, rig.User)
	labelsAreRight(t)
}

// updatedPolicy loads the policy again and labels our files, as an update of the policy does. Our
// module and labels are still there.
func updatedPolicy(t *testing.T) {
	rig.Must(t, "load_policy")
	// It cannot label the store.
	rig.Command(t, "", "setfiles", "-F", "/etc/selinux/default/contexts/files/file_contexts",
		"/var/lib/aad-login")
	labelledByUnit(t)
	labelsAreRight(t)
	inSession(t, rig.User)
}

// labelledByUnit starts the unit that each boot starts.
func labelledByUnit(t *testing.T) {
	t.Helper()
	rig.Must(t, "systemctl", "restart", "aad-login-labels.service")
	rightLabels(t, "/var/lib/aad-login", rig.StoreFile)
}
