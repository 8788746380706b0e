// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// A target that an ordinary user runs asks sudo for root. sudo must keep the user's proxy, what the
// user has set for make, and what the Makefile sets for its scripts. Where the throw-away machine
// would begin, env prints what has come.
func TestSettingsPassSudo(t *testing.T) {
	rig.Must(t, "useradd", "--no-create-home", "--shell", "/bin/bash", "cloner")
	const sudoers = "/etc/sudoers.d/cloner"
	err := os.WriteFile(sudoers, []byte("cloner ALL=(ALL) NOPASSWD: ALL\n"), 0o440)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(sudoers)
		rig.Must(t, "userdel", "cloner")
	})

	project := t.TempDir()
	rig.Must(t, "mkdir", filepath.Join(project, "build"))
	rig.Must(t, "install", "-D", "-t", filepath.Join(project, "internal/machine"),
		"../../../internal/machine/throwaway")
	rig.Must(t, "install", "-t", project, "../../../Makefile", "../../../go.mod")
	unshare := filepath.Join(project, "unshare")
	if err := os.WriteFile(unshare, []byte("#!/bin/sh\nexec env\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "chown", "-R", "cloner:", project)
	for dir := project; dir != "/tmp" && dir != "/"; dir = filepath.Dir(dir) {
		rig.Must(t, "chmod", "0755", dir)
	}

	settings := []string{
		"SOURCE_DATE_EPOCH=1500000000",
		"CONTACT=Ada Admin <ada@contoso.example>",
		"HOMEPAGE=https://packages.contoso.example",
		"FUZZTIME=7s",
		"https_proxy=http://proxy.contoso.example:3128",
		"NO_PROXY=.contoso.example",
	}
	got := "\n" + rig.Must(t, "runuser", append([]string{
		"-u", "cloner", "--", "env",
		"PATH=" + project + ":" + os.Getenv("PATH"), "HOME=" + project,
		"make", "--silent", "--directory", project,
		"--eval=settings: ; internal/machine/throwaway true", "settings",
	}, settings...)...)
	for _, setting := range settings {
		if !strings.Contains(got, "\n"+setting+"\n") {
			t.Errorf("%s is lost; there is\n%s", setting, got)
		}
	}
}
