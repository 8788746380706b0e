// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
	"aadlogin/internal/sshd"
)

// aadctl check tells the decision of sshd about an account, line by line. A person whom sshd
// refuses is told so instead of getting a device code. The prompt or the sentence is the decision,
// so no browser is needed.
func TestCheckJudgesAsSSHD(t *testing.T) {
	const name, port = "user@contoso.example", "2238"
	rig.Stored(t, name)
	version, _ := exec.Command("/usr/sbin/sshd", "-V").CombinedOutput()
	last := !sshd.VersionIn(string(version)).Before(9, 9) // splits at the last @
	for _, test := range []struct {
		lines  string
		in     bool
		status string // of what the check says, if that is anything
		found  string
	}{
		{"DenyUsers user@contoso.example", true, "failed",
			"DenyUsers user@contoso.example denies nobody"},
		{"DenyUsers user?contoso.example", false, "failed",
			"DenyUsers is user?contoso.example, which keeps"},
		{"DenyUsers user@contoso.example@*", !last, "failed",
			map[bool]string{true: "which keeps", false: "denies nobody"}[last]},
		{"DenyUsers *?contoso.example@127.0.0.0/8", false, "warning",
			"out where it comes from 127.0.0.0/8"},
		{"DenyUsers user?contoso.example@192.0.2.0/24", true, "warning",
			"out where it comes from 192.0.2.0/24"},
		{"AllowUsers user@contoso.example", false, "failed",
			"AllowUsers user@contoso.example lets nobody in"},
		{"AllowUsers root *@contoso.example", false, "failed",
			"AllowUsers *@contoso.example lets nobody in"},
		{"AllowUsers root", false, "failed", "AllowUsers is root, which keeps"},
		{"AllowUsers root user?contoso.example", true, "", ""},
		{"AllowUsers user?contoso.example@127.0.0.1", true, "warning", "in from 127.0.0.1 only"},
		{"AllowUsers root\nAllowUsers user*", true, "", ""},
		{"AllowGroups user@contoso.example", true, "", ""},
		{"AllowGroups sudo root", false, "failed", "AllowGroups is sudo root, which keeps"},
		{"DenyGroups user@contoso.example", false, "failed",
			"DenyGroups is user@contoso.example, which keeps"},
		{"DenyGroups nogroup", true, "", ""},
		{"Match User user?contoso.example\n\tAllowUsers root\nMatch all", false, "failed",
			"AllowUsers is root, which keeps"},
	} {
		t.Run(test.lines, func(t *testing.T) {
			rig.Edit(t, sshdConfig, rig.BeginWith(test.lines+"\n"))
			if in := letIn(t, name, port); in != test.in {
				t.Fatalf("let in: %v", in)
			}
			wrong, _ := rig.Diagnose(t, "--offline", name)
			if test.status == "" {
				if len(wrong) > 0 {
					t.Errorf("%+v", wrong)
				}
				return
			}
			r := find(t, wrong, "sshd", regexp.QuoteMeta(test.found))
			if r.Status != test.status || r.Status == "failed" && r.Command == "" {
				t.Fatalf("%+v", r)
			}
			// The command lets this person in, and locks nobody out who was allowed before.
			if !test.in && r.Status == "failed" {
				rig.Must(t, "sh", "-ec", r.Command)
				if wrong, status := rig.Diagnose(t, "--offline", name); status != 0 {
					t.Errorf("after %s: %+v", r.Command, wrong)
				}
				text, err := os.ReadFile(sshdConfig)
				if err != nil ||
					strings.Count(string(text), "root") < strings.Count(test.lines, "root") {
					t.Errorf("%v, after %s: %s", err, r.Command, text)
				}
				if !letIn(t, name, port) {
					t.Errorf("after %s: kept out", r.Command)
				}
			}
		})
	}
}

// letIn asks an sshd with the machine's configuration.
func letIn(t *testing.T, name, port string) bool {
	t.Helper()
	daemon, err := rig.StartSSHD(port)
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Wait()
	defer daemon.Process.Kill()
	c := rig.Open(t, "ssh", append([]string{"-p", port}, rig.SSHArgs(name+"@127.0.0.1")...)...)
	defer c.Cmd.Process.Kill()
	said := c.Expect(`Press ENTER when ready|The settings of sshd on this machine keep user@contoso\.example out`)
	return strings.Contains(said[0], "ENTER")
}

// The login shell is no program. sshd would drop the person after the browser.
func TestNoShell(t *testing.T) {
	const name = "user@contoso.example"
	rig.Stored(t, name)
	rig.Must(t, "cp", "/bin/sh", "/usr/bin/nosuchsh")
	rig.Must(t, "aadctl", "account", "set", name, "--shell", "/usr/bin/nosuchsh")
	t.Cleanup(func() { rig.Must(t, "aadctl", "account", "set", name, "--shell", "/bin/bash") })
	rig.Must(t, "rm", "/usr/bin/nosuchsh")
	rig.Eventually(t, "sshd is done with the tests before", rig.Patience,
		func() bool { return rig.SSHDProcesses(t) == 1 })
	mark := rig.Syslog.Mark()
	c := rig.SSH(t, name)
	c.Expect(`the login shell of this account, /usr/bin/nosuchsh, does not exist`)
	line := rig.OneLine(t, mark, `failed reason="no-shell"`)
	if !strings.Contains(line, `shell="/usr/bin/nosuchsh"`) {
		t.Error(line)
	}
	wrong, status := rig.Diagnose(t, "--offline", name)
	if r := find(t, wrong, "shell", name+".*/usr/bin/nosuchsh, which does not exist"); status != 1 {
		t.Errorf("exit status %d, %+v", status, r)
	} else {
		rig.Must(t, "sh", "-ec", r.Command)
	}
	if wrong, status := rig.Diagnose(t, "--offline", name); status != 0 {
		t.Errorf("%+v", wrong)
	}
}
