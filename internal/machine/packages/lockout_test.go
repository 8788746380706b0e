// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// No event and no broken or missing part of the package may lock out an administrator who has
// nothing to do with Entra ID.

// A PAM module or name service that is missing or no library, or a configuration or store that
// cannot be read, has no effect on local users. Accounts of ours are refused, even with a key,
// which never reaches the auth phase.
func TestMissingPiecesLockNobodyOut(t *testing.T) {
	const name = "user@contoso.example"
	rig.Stored(t, name)
	l := rig.NewLocals(t)
	pam, names := rig.FileAt(t, "/lib/*/security/pam_aad.so"),
		rig.FileAt(t, "/lib/*/libnss_aad.so.2")
	junk := func(string) []byte { return []byte("no module\n") }
	missing := func(string) []byte { return nil }
	for what, broken := range map[string]map[string]func(string) []byte{
		"PAM module missing":    {pam: missing},
		"PAM module broken":     {pam: junk},
		"name service missing":  {names: missing},
		"name service broken":   {names: junk},
		"both modules missing":  {pam: missing, names: missing},
		"configuration missing": {rig.ConfigFile: missing},
		"configuration broken":  {rig.ConfigFile: junk},
		"store broken":          {rig.StoreFile: junk},
	} {
		t.Run(what, func(t *testing.T) {
			for file, change := range broken {
				rig.Edit(t, file, change)
			}
			l.Seen = ""
			l.GetIn(t, "locals")
			c := rig.Open(t, "ssh", append(l.KeyArgs,
				name+"@127.0.0.1", "-o", "BatchMode=yes", "echo in as $(id -un)")...)
			if status, rest := c.End(); status != 255 || strings.Contains(rest, "in as") {
				t.Errorf("an account of ours: exit status %d, said %q", status, rest)
			}
		})
	}
}

// Installing, upgrading, removing and purging may be killed between any two steps.
func TestPackagingLocksNobodyOut(t *testing.T) {
	l := rig.NewLocals(t)
	l.GetIn(t, "installed")
	getIn := func(when string) { l.GetIn(t, when) }
	whole := rig.Wiring(t)
	rig.KilledAtEach(t, scripts+"prerm", []string{"remove"}, getIn)
	// To dpkg this is an upgrade. It completes what a removal had begun.
	rig.Must(t, "dpkg", "--install", "--force-confold", rig.DebianPackage(t))
	for _, line := range rig.Differences(whole, rig.Wiring(t)) {
		t.Errorf("half removed and mended, the machine differs: %s", line)
	}
	install := rig.Unwired(t)
	l.GetIn(t, "removed")

	t.Run("with dpkg", func(t *testing.T) { installKilled(t, install) })
	l.GetIn(t, "dpkg's script killed")
	rig.KilledAtEach(t, scripts+"postinst", []string{"configure", ""}, getIn)
	rig.Must(t, "dpkg", "--configure", "-a")
	l.GetIn(t, "installed after all")
	for _, line := range rig.Differences(whole, rig.Wiring(t)) {
		t.Errorf("repaired, the machine differs: %s", line)
	}
	rig.Must(t, "dpkg", "--purge", "aad-login")
	l.GetIn(t, "purged")
}

// installKilled runs an installation whose script is killed when it calls pam-auth-update.
func installKilled(t *testing.T, install func() (string, int)) {
	dir := t.TempDir()
	stub := "#!/bin/sh\ncase $* in *--root*) exec /usr/sbin/pam-auth-update \"$@\" ;; esac\nkill " +
		"-9 $PPID\n"
	if err := os.WriteFile(filepath.Join(dir, "pam-auth-update"), []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	out, status := install()
	if status == 0 || !strings.Contains(out, "killed by signal (Killed)") {
		t.Errorf("exit status %d, said %s", status, out)
	}
}

// The power may fail after dpkg has noted that it begins, and before it runs the first script. To
// dpkg the next attempt is an upgrade. It has the checks of an installation, each time.
func TestInstallationCutBeforeItBegins(t *testing.T) {
	whole := rig.Wiring(t)
	install := rig.Unwired(t)
	foreign := rig.FileAt(t, "/lib/*/security") + "/pam_aad.so"
	if err := os.WriteFile(foreign, []byte("somebody's"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if text, _ := os.ReadFile(foreign); string(text) == "somebody's" {
			os.Remove(foreign)
		}
	})
	begun(t)
	for range 2 {
		if out, status := install(); status == 0 || !strings.Contains(out, "is there already") {
			t.Fatalf("exit status %d, said %s", status, out)
		}
	}
	os.Remove(foreign)
	if out, status := install(); status != 0 {
		t.Error(out)
	}
	for _, line := range rig.Differences(whole, rig.Wiring(t)) {
		t.Errorf("installed, the machine differs: %s", line)
	}
}

// begun changes dpkg's note of a removed package to that of an installation that has just begun.
func begun(t *testing.T) {
	t.Helper()
	const status = "/var/lib/dpkg/status"
	text, err := os.ReadFile(status)
	if err != nil {
		t.Fatal(err)
	}
	before, ours, found := strings.Cut(string(text), "Package: aad-login\n")
	cut := strings.Replace(ours, "deinstall ok config-files", "install reinstreq half-installed", 1)
	if !found || cut == ours {
		t.Fatalf("dpkg's status: %.300s", ours)
	}
	text = []byte(before + "Package: aad-login\n" + cut)
	if err := os.WriteFile(status, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// An installation again over one that has lost a module is an upgrade: it brings the module, and
// not what an administrator has switched off.
func TestReinstallationBringsALostModule(t *testing.T) {
	install := rig.Unwired(t)
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	rig.Must(t, "pam-auth-update", "--disable", "aad-login")
	t.Cleanup(func() { rig.Must(t, "pam-auth-update", "--enable", "aad-login") })
	module := rig.FileAt(t, "/lib/*/security/pam_aad.so")
	if err := os.Remove(module); err != nil {
		t.Fatal(err)
	}
	if out, status := install(); status != 0 {
		t.Error(out)
	}
	if _, err := os.Stat(module); err != nil {
		t.Error(err)
	}
	if text := rig.Must(t, "cat", "/etc/pam.d/common-auth"); strings.Contains(text, "pam_aad") {
		t.Errorf("the profile is enabled again:\n%s", text)
	}
}

// A file that a power cut has emptied stops the configuration, with a sentence.
func TestEmptyFilesStopTheInstallation(t *testing.T) {
	install := rig.Unwired(t)
	rig.Must(t, "dpkg", "--unpack", rig.DebianPackage(t))
	for _, file := range []string{rig.FileAt(t, "/lib/*/libnss_aad.so.2"),
		"/usr/share/aad-login/drop-ins"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, 0); err != nil {
			t.Fatal(err)
		}
		out, status := rig.Command(t, "", "dpkg", "--configure", "aad-login")
		if status == 0 || !strings.Contains(out, "is empty or missing, as after a power cut") {
			t.Errorf("%s: exit status %d, said %s", file, status, out)
		}
		if err := os.WriteFile(file, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, status := install(); status != 0 {
		t.Error(out)
	}
}

// debconf calls it a success if pam-auth-update is killed. The package does not.
func TestKilledStacksStopTheInstallation(t *testing.T) {
	install := rig.Unwired(t)
	dir := t.TempDir()
	stub := "#!/bin/sh\ncase $* in *--root*) ;; *) PERL5OPT=\"$PERL5OPT " + cutAt(t, dir) + "\"\n" +
		"export PERL5OPT CUT_AT=7 ;; esac\nexec /usr/sbin/pam-auth-update \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "pam-auth-update"), []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	path := os.Getenv("PATH")
	t.Setenv("PATH", dir+":"+path)
	out, status := install()
	if status == 0 || !strings.Contains(out, "pam-auth-update was ended before its end") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	t.Setenv("PATH", path)
	rig.Must(t, "dpkg", "--configure", "-a")
	if text := rig.Must(t, "cat", "/etc/pam.d/common-session"); !strings.Contains(text, "pam_aad") {
		t.Errorf("configured, the stack is\n%s", text)
	}
}

// An installation that runs out of space in /etc stops, and leaves every file complete. With space
// it goes on.
func TestFullDiskLocksNobodyOut(t *testing.T) {
	l := rig.NewLocals(t)
	install := rig.Unwired(t)
	fill, room := fullEtc(t)
	fill()
	if out, status := install(); status == 0 || !strings.Contains(out, "No space left on device") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	l.GetIn(t, "unpacking stopped")
	room()
	rig.Must(t, "dpkg", "--purge", "aad-login") // its own files do not make room then
	rig.Must(t, "dpkg", "--unpack", rig.DebianPackage(t))
	fill()
	configuredAtLast(t, l)
	room()
	rig.Must(t, "dpkg", "--remove", "aad-login") // as the /etc below has it
}

const filler = "/etc/aad-login/filler"

// fullEtc mounts a copy of /etc, on a file system of its own, over the machine's. It returns a
// function that fills it and one that frees space.
func fullEtc(t *testing.T) (fill, room func()) {
	t.Helper()
	full := t.TempDir()
	rig.Must(t, "sh", "-c",
		`mount -t tmpfs -o mode=755,size=$(($(du -sk --apparent-size /etc | cut -f1) + 8192))k full "$0" &&
		cp -a /etc/. "$0" && mount --bind "$0" /etc`, full)
	t.Cleanup(func() {
		rig.Must(t, "umount", "/etc")
		rig.Must(t, "umount", full)
	})
	fill = func() {
		out, status := rig.Command(t, "", "dd", "if=/dev/zero", "of="+filler, "bs=4k")
		if status == 0 {
			t.Fatal(out)
		}
	}
	return fill, func() { rig.Must(t, "rm", filler) }
}

// configuredAtLast runs dpkg --configure again and again, each time with a little more space in
// /etc.
func configuredAtLast(t *testing.T, l *rig.Locals) {
	t.Helper()
	failed := 0
	for ; failed < 20; failed++ {
		if out, status := rig.Command(t, "", "dpkg", "--configure", "aad-login"); status == 0 {
			break
		} else if !strings.Contains(out, "No space left on device") {
			t.Errorf("exit status %d, said %s", status, out)
		}
		l.GetIn(t, fmt.Sprintf("configuring with room for %d", failed))
		rig.Must(t, "truncate", "-s", "-4k", filler)
	}
	if failed < 1 || failed == 20 {
		t.Errorf("it failed %d times", failed)
	}
	l.GetIn(t, "configured")
}
