// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

func TestSudoAsksAgainAndChangesNothing(t *testing.T) {
	const probe = "ulimit -Sn; ulimit -Hn; ulimit -c; umask; env | grep -v ^SUDO_ | sort"
	script := filepath.Join(t.TempDir(), "probe")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"+probe+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Dir(script), 0o755)
	os.Chmod(filepath.Dir(filepath.Dir(script)), 0o755)
	run := func() string {
		c := rig.SSH(t, "admin@contoso.example", fmt.Sprintf(
			"export SSL_CERT_FILE=/tmp/mine HTTPS_PROXY=http://127.0.0.1:9 GODEBUG=x; sudo -k; "+
				"sudo sh -c 'id -u; echo BEGIN; %s; echo END'", script))
		c.SignIn("admin@contoso.example")
		if sudoAsks(t) {
			c.Expect(`Signing in to \S+ as admin@contoso\.example \(sudo\)\. \n`)
			c.SignIn("admin@contoso.example")
		}
		c.Expect(`0\nBEGIN\n`)
		said := c.Expect(`(?s)(.*)END\n`)[1]
		if status, _ := c.End(); status != 0 {
			t.Fatalf("exit status %d", status)
		}
		return said
	}
	if !sudoAsks(t) {
		t.Fatal("sudo does not go through the stack under test")
	}
	with := run()
	rig.Edit(t, "/etc/pam.d/sudo", func(string) []byte {
		return []byte("auth required pam_permit.so\naccount required pam_permit.so\nsession " +
			"required pam_permit.so\n")
	})
	if without := run(); with != without {
		t.Errorf("the root shell differs with the module:\n%s\nwithout:\n%s", with, without)
	}
}

func sudoAsks(t *testing.T) bool {
	t.Helper()
	stack, err := os.ReadFile("/etc/pam.d/sudo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(stack), "common-auth")
}

// sudo only records signals. An attempt that waits for the browser still reacts to Ctrl-C, and to
// the end of the terminal.
func TestSudoIsInterrupted(t *testing.T) {
	const admin = "admin@contoso.example"
	alone := func() bool { return rig.SSHDProcesses(t) == 1 && len(rig.PIDs(t, "sudo")) == 0 }
	c := rig.SSH(t, admin)
	c.SignIn(admin)
	c.Expect(`\$ `)
	c.TypeLine("sudo -k; sudo id -u; echo ended")
	c.Prompted()
	c.TypeLine("") // early: from here on the module waits, not the person
	c.Expect(`\n`)
	rig.Polled(t)
	c.TypeLine("\x03")
	c.Expect(`\$ `)

	c.TypeLine("sudo id -u")
	c.Prompted()
	c.TypeLine("")
	rig.Polled(t)
	c.Cmd.Process.Kill()
	rig.Eventually(t, "no process of the attempt is left", 2*time.Second, alone)
}
