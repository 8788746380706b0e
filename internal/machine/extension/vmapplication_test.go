// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package extension

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// These are the commands of the VM Application, in a directory as Azure prepares it: the package
// and the configuration have the names that "az sig gallery-application version create" was given
// for them.
func TestVMApplication(t *testing.T) {
	deb, configuration := rig.DebianPackage(t), rig.FileText(t, rig.ConfigFile)
	dist := t.TempDir()
	version := strings.Split(filepath.Base(deb), "_")[1]
	rig.Must(t, "cp", deb, dist)
	rig.Build(t, "../../../packaging/vm-application/build", dist, version, filepath.Base(deb))
	archive := filepath.Join(dist, "aad-login-vm-application-"+version+".tar")
	for _, name := range strings.Fields(rig.Must(t, "tar", "-tf", archive)) {
		if !filepath.IsLocal(name) {
			t.Errorf("%q leads out of the directory", name)
		}
	}
	rig.Must(t, "mv", archive, archive+".once")
	rig.Build(t, "../../../packaging/vm-application/build", dist, version, filepath.Base(deb))
	rig.Must(t, "cmp", archive, archive+".once")

	rig.Unwired(t)
	rig.Must(t, "dpkg", "--purge", "aad-login")
	bare := rig.Wiring(t)
	directory := t.TempDir()
	rig.Must(t, "cp", archive, directory+"/aad-login.tar")
	run := func(what string) (string, int) {
		t.Helper()
		text := rig.FileText(t, "../../../packaging/vm-application/"+what+"-command")
		if len(text) > 4096 || strings.Count(text, "\n") != 1 {
			t.Errorf("Azure takes no such command: %q", text)
		}
		return rig.Command(t, "", "bash", "-c", "cd "+directory+" && "+text)
	}
	configured := func(text string) {
		if err := os.WriteFile(directory+"/config.toml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configured(configuration)
	for _, what := range []string{"install", "update"} {
		if out, status := run(what); status != 0 {
			t.Fatalf("%s: %s", what, out)
		}
		rig.Must(t, "aadctl", "check", "--offline")
	}
	configured("tenant_id = 1\n")
	out, status := run("update")
	if status != 1 || !strings.Contains(out, "tenant_id") ||
		!strings.Contains(out, "is what it was") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	if got := rig.FileText(t, rig.ConfigFile); got != configuration {
		t.Errorf("the configuration is %s", got)
	}
	t.Run("dpkg cannot say", func(t *testing.T) {
		rig.Edit(t, "/usr/bin/dpkg-query", func(string) []byte {
			return []byte("#!/bin/sh\necho dpkg-query: error: damaged >&2\nexit 2\n")
		})
		out, status := run("remove")
		const says = "cannot be told: dpkg-query: error: damaged. Nothing has been changed."
		if status != 1 || !strings.Contains(out, says) {
			t.Errorf("exit status %d, said %s", status, out)
		}
	})
	for range 2 {
		if out, status := run("remove"); status != 0 {
			t.Fatal(out)
		}
	}
	for _, line := range rig.Differences(bare, rig.Wiring(t)) {
		t.Errorf("removed, the machine differs: %s", line)
	}
}
