// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// These tests need name services that the machines of "make test" do not have, or a run of cron.
// "make nameservices" runs them.

const unscdProgram = "/opt/unscd/usr/sbin/nscd"

// startBeside starts a daemon in a mount namespace of its own, which the script prepares.
func startBeside(t *testing.T, ready func(rig.NSCD) bool, script string, args ...string) rig.NSCD {
	t.Helper()
	if os.Getenv("NAMESERVICES") == "" {
		t.Skip("takes minutes; run: make nameservices")
	}
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-ec", script}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rig.Kill(cmd) })
	n := rig.NSCD{T: t, PID: fmt.Sprint(cmd.Process.Pid)}
	rig.Eventually(t, "the name service answers", rig.Patience, func() bool { return ready(n) })
	return n
}

func startUnscd(t *testing.T) rig.NSCD {
	socket := func(n rig.NSCD) bool {
		_, status := n.Run("test", "-S", "/run/nscd/socket")
		return status == 0
	}
	if err := os.MkdirAll("/run/nscd", 0o755); err != nil {
		t.Fatal(err)
	}
	return startBeside(t, socket, `
		mount -t tmpfs -o mode=0755 unscd /run/nscd
		sed '/^server-user/d' /opt/unscd/etc/nscd.conf >/run/nscd/nscd.conf
		mount --bind /run/nscd/nscd.conf /etc/nscd.conf
		exec "$0" -d 2>/tmp/unscd.log`, unscdProgram)
}

// startSSSD runs sssd with its provider "files", which answers for /etc/passwd before all others,
// as in Fedora.
func startSSSD(t *testing.T) rig.NSCD {
	answers := func(n rig.NSCD) bool {
		_, status := n.Run("getent", "-s", "sss", "passwd", "games")
		return status == 0
	}
	conf := "[sssd]\nservices = nss\ndomains = machine\n[domain/machine]\nid_provider = files\n"
	if err := os.MkdirAll("/etc/sssd", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/etc/sssd/sssd.conf", []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return startBeside(t, answers, `
		sed -E 's/^((passwd|group):[[:space:]]*)/\1sss /' /etc/nsswitch.conf >/run/nsswitch.sssd
		mount --bind /run/nsswitch.sssd /etc/nsswitch.conf
		exec sssd -i >/tmp/sssd.log 2>&1`)
}

// cronRuns waits for a local user's job at cron's next minute.
func cronRuns(t *testing.T, n rig.NSCD, locals map[string]int) {
	t.Helper()
	dir := t.TempDir()
	rig.Must(t, "chmod", "-R", "777", filepath.Dir(dir))
	var jobs strings.Builder
	for name, uid := range locals {
		fmt.Fprintf(&jobs, "* * * * * %s id -u >%s/%d\n", name, dir, uid)
	}
	if err := os.WriteFile("/etc/cron.d/behind", []byte(jobs.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove("/etc/cron.d/behind")
	cmd := exec.Command("nsenter", n.Beside("cron", "-f")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer rig.Kill(cmd)
	for name, uid := range locals {
		rig.Eventually(t, "cron runs a job of "+name, rig.Patience, func() bool {
			text, _ := os.ReadFile(fmt.Sprintf("%s/%d", dir, uid))
			return string(text) == fmt.Sprintf("%d\n", uid)
		})
	}
}

// A former account is refused while unscd still has it. Local users with the id or name of a former
// account are let in.
func TestUnscdThatIsBehind(t *testing.T) {
	const first = 320000
	n := startUnscd(t)
	login := n.KeyLogin("2244")
	refusedWhileBehind(t, n, login, first)
	locals := localsOfBefore(t, n, "@contoso.example", first)
	for name, uid := range locals {
		admitted(t, n, login, name, uid)
	}
	cronRuns(t, n, locals)
}

// The same holds with sssd, whose names have no "@".
func TestLocalsBesideSSSD(t *testing.T) {
	const first = 330000
	n := startSSSD(t)
	t.Cleanup(func() { rig.Must(t, "aadctl", "config", "apply") }) // of what is put back
	rig.Edit(t, rig.ConfigFile, func(s string) []byte { return []byte("short_names = true\n" + s) })
	rig.Must(t, "aadctl", "config", "apply")
	login := n.KeyLogin("2245")
	accountsOfBefore(t, n, "", first)
	locals := localsOfBefore(t, n, "", first)
	for name, uid := range locals {
		rig.Eventually(t, "sssd answers for "+name, rig.Patience, func() bool {
			out, _ := n.Run("getent", "-s", "sss", "passwd", name)
			return strings.Contains(out, fmt.Sprintf(":%d:", uid))
		})
		admitted(t, n, login, name, uid)
	}
	cronRuns(t, n, locals)
}

func TestLocalsBesideNSCD(t *testing.T) {
	if os.Getenv("NAMESERVICES") == "" {
		t.Skip("cron takes a minute; run: make nameservices")
	}
	const first = 340000
	n := rig.StartNSCD(t, nil)
	accountsOfBefore(t, n, "@contoso.example", first)
	cronRuns(t, n, localsOfBefore(t, n, "@contoso.example", first))
}
