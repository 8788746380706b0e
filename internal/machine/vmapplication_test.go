// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands of the VM Application, in a directory as Azure prepares it: the package and the configuration under the names that
// "az sig gallery-application version create" was given for them.
func TestVMApplication(t *testing.T) {
	deb, configuration := debian(t), fileText(t, configFile)
	dist := t.TempDir()
	version := strings.Split(filepath.Base(deb), "_")[1]
	must(t, "cp", deb, dist)
	build(t, "../../packaging/vm-application/build", dist, version, filepath.Base(deb))
	archive := filepath.Join(dist, "aad-login-vm-application-"+version+".tar")
	for _, name := range strings.Fields(must(t, "tar", "-tf", archive)) {
		if !filepath.IsLocal(name) {
			t.Errorf("%q leads out of the directory", name)
		}
	}
	must(t, "mv", archive, archive+".once")
	build(t, "../../packaging/vm-application/build", dist, version, filepath.Base(deb))
	must(t, "cmp", archive, archive+".once")

	unwired(t)
	must(t, "dpkg", "--purge", "aad-login")
	bare := wiring(t)
	directory := t.TempDir()
	must(t, "cp", archive, directory+"/aad-login.tar")
	run := func(what string) (string, int) {
		t.Helper()
		text := fileText(t, "../../packaging/vm-application/"+what+"-command")
		if len(text) > 4096 || strings.Count(text, "\n") != 1 {
			t.Errorf("Azure takes no such command: %q", text)
		}
		return command(t, "", "bash", "-c", "cd "+directory+" && "+text)
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
		must(t, "aadctl", "check", "--offline")
	}
	configured("tenant_id = 1\n")
	if out, status := run("update"); status != 1 || !strings.Contains(out, "tenant_id") || !strings.Contains(out, "is what it was") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	if got := fileText(t, configFile); got != configuration {
		t.Errorf("the configuration is %s", got)
	}
	t.Run("dpkg cannot say", func(t *testing.T) {
		edit(t, "/usr/bin/dpkg-query", func(string) []byte { return []byte("#!/bin/sh\necho dpkg-query: error: damaged >&2\nexit 2\n") })
		if out, status := run("remove"); status != 1 || !strings.Contains(out, "cannot be told: dpkg-query: error: damaged. Nothing has been changed.") {
			t.Errorf("exit status %d, said %s", status, out)
		}
	})
	for range 2 {
		if out, status := run("remove"); status != 0 {
			t.Fatal(out)
		}
	}
	for _, line := range differences(bare, wiring(t)) {
		t.Errorf("removed, the machine differs: %s", line)
	}
}
