// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	ruleFile   = "/etc/sudoers.d/aad_admins"
	dropInFile = "/etc/ssh/sshd_config.d/40-aad-login.conf"
)

// nextVersion is the package once more, as a later version may have it: with another rule, drop-in and profile.
func nextVersion(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, "dpkg-deb", "--raw-extract", debian(t), dir+"/next")
	must(t, "sh", "-c", `cd "$0" && sed -i 's/^Version: .*/&+next/' DEBIAN/control &&
		sed -i '1i # next' usr/share/aad-login/aad_admins usr/share/aad-login/40-aad-login.conf* &&
		printf '\toptional\tpam_permit.so\n' >>usr/share/pam-configs/aad-login &&
		dpkg-deb --root-owner-group -Znone --build . ../next.deb`, dir+"/next")
	return dir + "/next.deb"
}

// succeeds is must for what has been run.
func succeeds(t *testing.T) func(out string, status int) {
	return func(out string, status int) {
		t.Helper()
		if status != 0 {
			t.Fatal(out)
		}
	}
}

// same tells what is not as it is to be.
func same(t *testing.T, when, want string) {
	t.Helper()
	for _, line := range differences(want, wiring(t)) {
		t.Errorf("%s, the machine differs: %s", when, line)
	}
}

// An upgrade takes along what is as the package had brought it, and leaves alone what the administrator has changed or taken
// away. What was changed waits beside the configuration while the package is gone, and comes back with it.
func TestUpgradeKeepsWhatWasEdited(t *testing.T) {
	const edited = "%aad_admins ALL=(ALL) NOPASSWD: ALL\n"
	const keptRule, keptDropIn = "/etc/aad-login/aad_admins.kept", "/etc/aad-login/40-aad-login.conf.kept"
	l := newLocals(t)
	install, next, step := unwired(t), nextVersion(t), succeeds(t)
	check := func(when, file, want string) {
		t.Helper()
		if text, err := os.ReadFile(file); string(text) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s holds %q, %v", when, file, text, err)
		}
		if info, err := os.Stat(file); err == nil && strings.Contains(file, "aad_admins") && info.Mode() != 0o440 {
			t.Errorf("%s: %s has mode %v", when, file, info.Mode())
		}
	}
	write := func(file, text string, mode os.FileMode) {
		t.Helper()
		if err := replaceFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	step(install())
	brought := must(t, "cat", dropInFile)
	write(ruleFile, edited, 0o440)
	must(t, "/usr/share/aad-login/nsswitch", "remove")
	names := must(t, "cat", "/etc/nsswitch.conf")
	must(t, "dpkg", "--install", next)
	check("upgraded", dropInFile, "# next\n"+brought)
	check("upgraded", ruleFile, edited)
	check("upgraded", "/etc/nsswitch.conf", names)
	must(t, "rm", dropInFile)
	step(install())
	check("taken away and upgraded", dropInFile, "")
	l.getIn(t, "taken away and upgraded")

	write(dropInFile, "LoginGraceTime 400\n", 0o644)
	must(t, "dpkg", "--remove", "aad-login")
	check("removed", ruleFile, "")
	check("removed", dropInFile, "")
	check("removed", keptRule, edited)
	check("removed", keptDropIn, "LoginGraceTime 400\n")
	l.getIn(t, "removed")
	must(t, "dpkg", "--install", next)
	check("installed again", ruleFile, edited)
	check("installed again", dropInFile, "LoginGraceTime 400\n")
	check("installed again", keptRule, "")
	l.getIn(t, "installed again")
	must(t, "dpkg", "--purge", "aad-login")
	check("purged", keptRule, "")
	step(install())
	check("installed afresh", dropInFile, brought)
}

// A profile that has changed since the installation reaches the stacks with the upgrade.
func TestUpgradeBringsTheProfile(t *testing.T) {
	const profile, account = "/usr/share/pam-configs/aad-login", "/etc/pam.d/common-account"
	install := unwired(t)
	if out, status := install(); status != 0 {
		t.Fatal(out)
	}
	brought := must(t, "cat", account)
	former := strings.Replace(must(t, "cat", profile), "\trequisite\tpam_succeed_if.so quiet user notingroup aad_users\n", "", 1)
	if err := replaceFile(profile, []byte(former), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "pam-auth-update", "--package")
	if must(t, "cat", account) == brought {
		t.Fatal("the former profile makes the same stack")
	}
	put(t, "/etc/pam.d/kiosk", "auth required pam_aad.so\n") // where a former version showed a code
	edit(t, configFile, func(text string) []byte { return []byte(text) })
	t.Cleanup(func() { os.Remove(configFile + ".previous") })
	out, status := install()
	if status != 0 || !strings.Contains(out, "sign_in.services now lists kiosk, too") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	if dump := must(t, "aadctl", "store", "dump"); !strings.Contains(dump, `"cockpit","kiosk"]`) {
		t.Errorf("the name service goes by %s", dump)
	}
	if now := must(t, "cat", account); now != brought {
		t.Errorf("after the upgrade: %s", now)
	}
}

// Between any two steps of an upgrade, whatever ends them there; dpkg finishes what is left, and the machine is as after an upgrade
// that nobody has disturbed, also when the package was unpacked more than once.
func TestUpgradeLocksNobodyOut(t *testing.T) {
	const dropIns = "/usr/share/aad-login/drop-ins"
	l := newLocals(t)
	getIn := func(when string) { l.getIn(t, when) }
	step, next := succeeds(t), nextVersion(t)
	t.Cleanup(func() { must(t, "dpkg", "--install", debian(t)) })
	former, version := wiring(t), strings.TrimSpace(must(t, "dpkg-query", "-W", "-f", "${Version}", "aad-login"))
	must(t, "dpkg", "--install", next)
	getIn("upgraded")
	whole := wiring(t)
	if n := len(differences(former, whole)); n < 6 {
		t.Fatalf("upgraded, and only %d lines have changed", n)
	}
	must(t, "dpkg", "--install", debian(t))
	same(t, "back at the former version", former)

	killedAtEach(t, dropIns, []string{"note"}, getIn)
	must(t, "dpkg", "--unpack", next)
	getIn("unpacked")
	same(t, "unpacked", former)
	must(t, "dpkg", "--unpack", next)
	killedAtEach(t, dropIns, []string{"update"}, func(when string) {
		getIn(when)
		must(t, dropIns, "note") // as when the package is unpacked once more
	})
	killedAtEach(t, scripts+"postinst", []string{"configure", version}, getIn)
	must(t, "dpkg", "--configure", "-a")
	getIn("upgraded after all")
	same(t, "repaired", whole)

	t.Run("with dpkg", func(t *testing.T) {
		installKilled(t, func() (string, int) { return command(t, "", "dpkg", "--install", debian(t)) })
	})
	getIn("dpkg's script killed")
	step(command(t, "", "dpkg", "--configure", "-a"))
	same(t, "back again", former)
}

// An upgrade that runs out of room in /etc stops and leaves every file whole; with room it goes on.
func TestUpgradeOnAFullDisk(t *testing.T) {
	l := newLocals(t)
	fill, room := fullEtc(t)
	next := nextVersion(t)
	former := wiring(t)
	fill()
	if out, status := command(t, "", "dpkg", "--install", next); status == 0 || !strings.Contains(out, "No space left on device") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	l.getIn(t, "unpacking stopped")
	for _, line := range differences(former, wiring(t)) {
		if !strings.Contains(line, ".pam-new") { // pam-auth-update's, which makes it anew the next time
			t.Errorf("unpacking stopped, the machine differs: %s", line)
		}
	}
	room()
	must(t, "dpkg", "--unpack", next)
	must(t, "rm", configFile+".dpkg-new") // dpkg's, who would begin with it, and make room
	fill()
	configuredAtLast(t, l)
	room()
	if text := must(t, "cat", ruleFile, dropInFile, "/etc/pam.d/common-session"); strings.Count(text, "# next\n") != 2 ||
		!strings.Contains(text, "pam_mkhomedir.so umask=0077\nsession\toptional\tpam_permit.so") {
		t.Errorf("upgraded, they hold %s", text)
	}
	must(t, "dpkg", "--install", debian(t)) // as the /etc below has it
	same(t, "back at the former version", former)
}

// A configuration that cannot be read is in nobody's way, and no step of a package's life loses it, or an account, for it.
func TestPackageWithABrokenConfiguration(t *testing.T) {
	const broken = "tenant_id = [\n"
	stored(t, "user@contoso.example")
	l := newLocals(t)
	install := unwired(t)
	succeeds(t)(install())
	if err := replaceFile(configFile, []byte(broken), 0o644); err != nil {
		t.Fatal(err)
	}
	accounts := must(t, "sha256sum", storeFile)
	for _, step := range [][]string{{"--install", nextVersion(t)}, {"--remove", "aad-login"}, {"--install", debian(t)}} {
		must(t, "dpkg", step...)
		if text := must(t, "cat", configFile); text != broken {
			t.Errorf("%s: the configuration holds %q", step, text)
		}
		if now := must(t, "sha256sum", storeFile); now != accounts {
			t.Errorf("%s: the accounts are not what they were", step)
		}
		l.getIn(t, step[0])
	}
	must(t, "dpkg", "--purge", "aad-login")
	if now := must(t, "sha256sum", storeFile); now != accounts {
		t.Error("purged: the accounts are not what they were")
	}
	l.getIn(t, "purged")
}

// apt as README.md has it: an installation that fails says why, is finished with apt's own means, and a purge takes all away.
func TestAptRepairs(t *testing.T) {
	const obstacle = "/etc/ssh/sshd_config.d/zz.conf"
	l := newLocals(t)
	file, err := filepath.Abs(debian(t))
	if err != nil {
		t.Fatal(err)
	}
	unwired(t)
	must(t, "dpkg", "--purge", "aad-login") // with its configuration edited, apt would have questions
	before := wiring(t)
	apt := func(args ...string) (string, int) {
		return command(t, "", "apt-get", append([]string{"--yes"}, args...)...)
	}
	put(t, obstacle, "NoSuchKeyword yes\n")
	if out, status := apt("install", file); status != 100 || !strings.Contains(out, "Bad configuration option: NoSuchKeyword") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	must(t, "rm", obstacle)
	same(t, "failed", before)
	l.getIn(t, "failed")
	succeeds(t)(apt("--fix-broken", "install"))
	if len(differences(before, wiring(t))) < 10 {
		t.Error("repaired, and next to nothing has changed")
	}
	l.getIn(t, "repaired")
	succeeds(t)(apt("install", nextVersion(t)))
	l.getIn(t, "upgraded")
	succeeds(t)(apt("purge", "aad-login"))
	same(t, "purged", before)
	l.getIn(t, "purged")
}
