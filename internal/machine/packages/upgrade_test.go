// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// nextVersion returns the package as a later version may have it: with another rule, drop-in and
// profile.
func nextVersion(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	rig.Must(t, "dpkg-deb", "--raw-extract", rig.DebianPackage(t), dir+"/next")
	rig.Must(t, "sh", "-c", `cd "$0" && sed -i 's/^Version: .*/&+next/' DEBIAN/control &&
		sed -i '1i # next' usr/share/aad-login/aad_admins usr/share/aad-login/40-aad-login.conf* &&
		printf '\toptional\tpam_permit.so\n' >>usr/share/pam-configs/aad-login &&
		dpkg-deb --root-owner-group -Znone --build . ../next.deb`, dir+"/next")
	return dir + "/next.deb"
}

// succeeds fails unless a command has succeeded.
func succeeds(t *testing.T) func(out string, status int) {
	return func(out string, status int) {
		t.Helper()
		if status != 0 {
			t.Fatal(out)
		}
	}
}

// same reports the files that are not as they should be.
func same(t *testing.T, when, want string) {
	t.Helper()
	for _, line := range rig.Differences(want, rig.Wiring(t)) {
		t.Errorf("%s, the machine differs: %s", when, line)
	}
}

// An upgrade replaces the files that are still the package's, and leaves alone what the
// administrator has changed or removed. While the package is removed, changed files wait beside the
// configuration, and they come back with it.
func TestUpgradeKeepsWhatWasEdited(t *testing.T) {
	const edited = "%aad_admins ALL=(ALL) NOPASSWD: ALL\n"
	const keptRule, keptDropIn = "/etc/aad-login/aad_admins.kept", "/etc/aad-login/40-aad-login.conf.kept"
	l := rig.NewLocals(t)
	install, next, step := rig.Unwired(t), nextVersion(t), succeeds(t)
	check := func(when, file, want string) {
		t.Helper()
		if text, err := os.ReadFile(file); string(text) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s holds %q, %v", when, file, text, err)
		}
		info, err := os.Stat(file)
		if err == nil && strings.Contains(file, "aad_admins") && info.Mode() != 0o440 {
			t.Errorf("%s: %s has mode %v", when, file, info.Mode())
		}
	}
	write := func(file, text string, mode os.FileMode) {
		t.Helper()
		if err := rig.ReplaceFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	step(install())
	brought := rig.Must(t, "cat", rig.DropInFile)
	write(rig.RuleFile, edited, 0o440)
	rig.Must(t, "/usr/share/aad-login/nsswitch", "remove")
	names := rig.Must(t, "cat", "/etc/nsswitch.conf")
	rig.Must(t, "dpkg", "--install", next)
	check("upgraded", rig.DropInFile, "# next\n"+brought)
	check("upgraded", rig.RuleFile, edited)
	check("upgraded", "/etc/nsswitch.conf", names)
	rig.Must(t, "rm", rig.DropInFile)
	step(install())
	check("taken away and upgraded", rig.DropInFile, "")
	l.GetIn(t, "taken away and upgraded")

	write(rig.DropInFile, "LoginGraceTime 400\n", 0o644)
	rig.Must(t, "dpkg", "--remove", "aad-login")
	check("removed", rig.RuleFile, "")
	check("removed", rig.DropInFile, "")
	check("removed", keptRule, edited)
	check("removed", keptDropIn, "LoginGraceTime 400\n")
	l.GetIn(t, "removed")
	rig.Must(t, "dpkg", "--install", next)
	check("installed again", rig.RuleFile, edited)
	check("installed again", rig.DropInFile, "LoginGraceTime 400\n")
	check("installed again", keptRule, "")
	l.GetIn(t, "installed again")
	rig.Must(t, "dpkg", "--purge", "aad-login")
	check("purged", keptRule, "")
	step(install())
	check("installed afresh", rig.DropInFile, brought)
}

// A profile that has changed since the installation reaches the stacks with the upgrade.
func TestUpgradeBringsTheProfile(t *testing.T) {
	const profile, account = "/usr/share/pam-configs/aad-login", "/etc/pam.d/common-account"
	install := rig.Unwired(t)
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	brought := rig.Must(t, "cat", account)
	former := strings.Replace(rig.Must(t, "cat", profile),
		"\trequisite\tpam_succeed_if.so quiet user notingroup aad_users\n", "", 1)
	if err := rig.ReplaceFile(profile, []byte(former), 0o644); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "pam-auth-update", "--package")
	if rig.Must(t, "cat", account) == brought {
		t.Fatal("the former profile makes the same stack")
	}
	// A former version showed a code there.
	rig.Put(t, "/etc/pam.d/kiosk", "auth required pam_aad.so\n")
	rig.Edit(t, rig.ConfigFile, func(text string) []byte { return []byte(text) })
	t.Cleanup(func() { os.Remove(rig.ConfigFile + ".previous") })
	out, status := install()
	if status != 0 || !strings.Contains(out, "sign_in.services now lists kiosk, too") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	dump := rig.Must(t, "aadctl", "store", "dump")
	if !strings.Contains(dump, `"cockpit","kiosk"]`) {
		t.Errorf("the name service goes by %s", dump)
	}
	if now := rig.Must(t, "cat", account); now != brought {
		t.Errorf("after the upgrade: %s", now)
	}
}

// A running systemd reads the units of a package that comes, is upgraded and goes.
func TestUnitsAreReloaded(t *testing.T) {
	install := rig.Unwired(t)
	const running = "/run/systemd/system"
	if _, err := os.Stat(running); err == nil {
		t.Fatal("this machine has a systemd of its own")
	}
	if err := os.MkdirAll(running, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(running) })
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	text := "#!/bin/sh\necho \"$*\" >>" + said + "\n"
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for _, step := range []func() (string, int){install, install, func() (string, int) {
		return rig.Command(t, "", "dpkg", "--remove", "aad-login")
	}} {
		os.Remove(said)
		if out, status := step(); status != 0 {
			t.Fatal(out)
		}
		if lines := rig.Must(t, "cat", said); strings.Count(lines, "daemon-reload\n") != 1 {
			t.Errorf("systemctl: %q", lines)
		}
	}
}

// An upgrade may be killed between any two steps. dpkg completes it, and the machine is as after an
// undisturbed upgrade, even if the package was unpacked more than once.
func TestUpgradeLocksNobodyOut(t *testing.T) {
	const dropIns = "/usr/share/aad-login/drop-ins"
	l := rig.NewLocals(t)
	getIn := func(when string) { l.GetIn(t, when) }
	step, next := succeeds(t), nextVersion(t)
	t.Cleanup(func() { rig.Must(t, "dpkg", "--install", rig.DebianPackage(t)) })
	former, version := rig.Wiring(t),
		strings.TrimSpace(rig.Must(t, "dpkg-query", "-W", "-f", "${Version}", "aad-login"))
	rig.Must(t, "dpkg", "--install", next)
	getIn("upgraded")
	whole := rig.Wiring(t)
	if n := len(rig.Differences(former, whole)); n < 6 {
		t.Fatalf("upgraded, and only %d lines have changed", n)
	}
	rig.Must(t, "dpkg", "--install", rig.DebianPackage(t))
	same(t, "back at the former version", former)

	rig.KilledAtEach(t, dropIns, []string{"note"}, getIn)
	rig.Must(t, "dpkg", "--unpack", next)
	getIn("unpacked")
	same(t, "unpacked", former)
	rig.Must(t, "dpkg", "--unpack", next)
	rig.KilledAtEach(t, dropIns, []string{"update"}, func(when string) {
		getIn(when)
		rig.Must(t, dropIns, "note") // as when the package is unpacked once more
	})
	rig.KilledAtEach(t, scripts+"postinst", []string{"configure", version}, getIn)
	rig.Must(t, "dpkg", "--configure", "-a")
	getIn("upgraded after all")
	same(t, "repaired", whole)

	t.Run("with dpkg", func(t *testing.T) {
		installKilled(t, func() (string, int) {
			return rig.Command(t, "", "dpkg", "--install", rig.DebianPackage(t))
		})
	})
	getIn("dpkg's script killed")
	step(rig.Command(t, "", "dpkg", "--configure", "-a"))
	same(t, "back again", former)
}

// An upgrade that runs out of space in /etc stops, and leaves every file complete. With space it
// goes on.
func TestUpgradeOnAFullDisk(t *testing.T) {
	l := rig.NewLocals(t)
	fill, room := fullEtc(t)
	next := nextVersion(t)
	former := rig.Wiring(t)
	fill()
	out, status := rig.Command(t, "", "dpkg", "--install", next)
	if status == 0 || !strings.Contains(out, "No space left on device") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	l.GetIn(t, "unpacking stopped")
	for _, line := range rig.Differences(former, rig.Wiring(t)) {
		// This file is pam-auth-update's, which makes it again the next time.
		if !strings.Contains(line, ".pam-new") {
			t.Errorf("unpacking stopped, the machine differs: %s", line)
		}
	}
	room()
	rig.Must(t, "dpkg", "--unpack", next)
	rig.Must(t, "rm", rig.ConfigFile+".dpkg-new") // dpkg's, who would begin with it, and make room
	fill()
	configuredAtLast(t, l)
	room()
	text := rig.Must(t, "cat", rig.RuleFile, rig.DropInFile, "/etc/pam.d/common-session")
	if strings.Count(text, "# next\n") != 2 ||
		!strings.Contains(text, "pam_mkhomedir.so umask=0077\nsession\toptional\tpam_permit.so") {
		t.Errorf("upgraded, they hold %s", text)
	}
	rig.Must(t, "dpkg", "--install", rig.DebianPackage(t)) // as the /etc below has it
	same(t, "back at the former version", former)
}

// A configuration that cannot be read hinders nobody. No step of the package loses it, or an
// account.
func TestPackageWithABrokenConfiguration(t *testing.T) {
	const broken = "tenant_id = [\n"
	rig.Stored(t, "user@contoso.example")
	l := rig.NewLocals(t)
	install := rig.Unwired(t)
	succeeds(t)(install())
	if err := rig.ReplaceFile(rig.ConfigFile, []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	accounts := rig.Must(t, "sha256sum", rig.StoreFile)
	for _, step := range [][]string{
		{"--install", nextVersion(t)}, {"--remove", "aad-login"},
		{"--install", rig.DebianPackage(t)},
	} {
		rig.Must(t, "dpkg", step...)
		if text := rig.Must(t, "cat", rig.ConfigFile); text != broken {
			t.Errorf("%s: the configuration holds %q", step, text)
		}
		if now := rig.Must(t, "sha256sum", rig.StoreFile); now != accounts {
			t.Errorf("%s: the accounts are not what they were", step)
		}
		l.GetIn(t, step[0])
	}
	rig.Must(t, "dpkg", "--purge", "aad-login")
	if now := rig.Must(t, "sha256sum", rig.StoreFile); now != accounts {
		t.Error("purged: the accounts are not what they were")
	}
	l.GetIn(t, "purged")
}

// apt works as README.md says. A failed installation says why and can be completed with apt's own
// means, and a purge removes everything.
func TestAptRepairs(t *testing.T) {
	const obstacle = "/etc/ssh/sshd_config.d/zz.conf"
	l := rig.NewLocals(t)
	file, err := filepath.Abs(rig.DebianPackage(t))
	if err != nil {
		t.Fatal(err)
	}
	rig.Unwired(t)
	// If its configuration was edited, apt would ask questions.
	rig.Must(t, "dpkg", "--purge", "aad-login")
	before := rig.Wiring(t)
	apt := func(args ...string) (string, int) {
		return rig.Command(t, "", "apt-get", append([]string{"--yes"}, args...)...)
	}
	rig.Put(t, obstacle, "NoSuchKeyword yes\n")
	out, status := apt("install", file)
	if status != 100 || !strings.Contains(out, "Bad configuration option: NoSuchKeyword") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	rig.Must(t, "rm", obstacle)
	same(t, "failed", before)
	l.GetIn(t, "failed")
	succeeds(t)(apt("--fix-broken", "install"))
	if len(rig.Differences(before, rig.Wiring(t))) < 10 {
		t.Error("repaired, and next to nothing has changed")
	}
	l.GetIn(t, "repaired")
	succeeds(t)(apt("install", nextVersion(t)))
	l.GetIn(t, "upgraded")
	succeeds(t)(apt("purge", "aad-login"))
	same(t, "purged", before)
	l.GetIn(t, "purged")
}
