// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// repository puts the next version into a repository that the machine knows for the length of a
// step. Lists with another key are refused.
func (v *visit) repository(t *testing.T) (apt []string, version string) {
	t.Helper()
	p, stranger := rig.NewPublisher(t), rig.NewPublisher(t)
	version = strings.TrimSpace(rig.Must(t, "dpkg-deb", "-f", rig.DebianPackage(t), "Version")) +
		"+next"
	for _, by := range []*rig.Publisher{p, stranger} {
		if out, status := by.Publish(p.Serve(rig.Here), rig.AsVersion(t, version)); status != 0 {
			t.Fatal(out)
		}
	}
	_, existed := v.command(t, "mkdir", "/etc/apt/keyrings") // Debian has it since 12
	t.Cleanup(func() {
		v.must(t, "rm", "/etc/apt/keyrings/aad-login.asc",
			"/etc/apt/sources.list.d/aad-login.sources")
		if existed == 0 {
			v.must(t, "rmdir", "/etc/apt/keyrings")
		}
	})
	v.write(t, "/etc/apt/sources.list.d/aad-login.sources",
		rig.Must(t, "cat", p.Dir+"/aad-login.sources"), 0o644)
	apt = []string{"apt-get", "--yes",
		"-oDir::Etc::sourcelist=/etc/apt/sources.list.d/aad-login.sources",
		"-oDir::Etc::sourceparts=/dev/null"}
	wrong := rig.Must(t, "cat", stranger.Dir+"/aad-login.asc")
	v.write(t, "/etc/apt/keyrings/aad-login.asc", wrong, 0o644)
	out, status := v.command(t, append(apt, "update")...)
	if status == 0 || !strings.Contains(out, "not signed") {
		t.Errorf("with another's key, apt: exit status %d, said %s", status, out)
	}
	v.write(t, "/etc/apt/keyrings/aad-login.asc", rig.Must(t, "cat", p.Dir+"/aad-login.asc"), 0o644)
	v.must(t, append(apt, "update")...)
	return apt, version
}

func (v *visit) install(t *testing.T) {
	out := v.bring(t, rig.DebianPackage(t))
	if !strings.Contains(out, "aad-login: run: aadctl setup") {
		t.Errorf("apt said %s", out)
	}
	if strings.Contains(out, "invoke-rc.d: ") || strings.Contains(out, "dpkg: warning") {
		t.Errorf("apt said %s", out)
	}
	v.localsGetIn(t)
}

// setup follows README.md's step 5, with the emulator's addresses filled in beforehand.
func (v *visit) setup(t *testing.T) {
	v.must(t, "sed", "-i", `s|^#authority = .*|authority = "`+rig.Entra.EntraURL()+`"|;
		s|^#resource_manager = .*|resource_manager = "`+rig.Entra.EntraURL()+`"|;
		s|^#ca_file = .*|ca_file = "/etc/emulator-ca.pem"|`, rig.ConfigFile)
	c := rig.Open(t, "nsenter", v.in("aadctl", "setup")...)
	c.Expect(`Directory \(tenant\) ID \[aaaabbbb-0000-cccc-1111-dddd2222eeee\]: `)
	c.TypeLine("")
	c.Expect(`Application \(client\) ID: `)
	c.TypeLine("00001111-aaaa-2222-bbbb-3333cccc4444")
	c.Expect(`Domains, .*: `)
	c.TypeLine("contoso.example")
	c.EndsWell()
	out, status := v.command(t, "aadctl", "check", "--json")
	if wrong := rig.WrongOf(t, out); status != 0 || len(wrong) > 0 {
		t.Errorf("aadctl check: exit status %d: %+v", status, wrong)
	}
	v.localsGetIn(t)
}

// metrics checks that systemd's service counts them in its sandbox, and only if an administrator
// has enabled it.
func (v *visit) metrics(t *testing.T) {
	const directory = "/var/lib/prometheus/node-exporter"
	out, _ := v.command(t, "systemctl", "is-enabled", "aad-login-metrics.timer")
	if strings.TrimSpace(out) != "disabled" {
		t.Errorf("the timer is %s", out)
	}
	v.must(t, "mkdir", "-p", directory)
	t.Cleanup(func() { v.must(t, "rm", "-r", filepath.Dir(directory)) })
	v.must(t, "systemctl", "start", "aad-login-metrics.service")
	text := v.must(t, "cat", directory+"/aad-login.prom")
	attempts := regexp.MustCompile(`(?m)^aadlogin_attempts_total\{outcome="signed-in"\} [1-9]`)
	trips := regexp.MustCompile(`(?m)^aadlogin_round_trip_seconds_count\{server="entra"\} [1-9]`)
	if !attempts.MatchString(text) || !trips.MatchString(text) {
		t.Errorf("counted:\n%s", text)
	}
}

// upgrade installs the next version while a session goes on.
func (v *visit) upgrade(t *testing.T) {
	session := v.ssh(t, rig.Admin)
	session.SignIn(rig.Admin)
	session.Expect(`\$ `)
	apt, version := v.repository(t)
	v.must(t, append(apt, "upgrade")...)
	v.listens(t)
	got := v.must(t, "dpkg-query", "-W", "-f", "${Version} ${db:Status-Abbrev}", "aad-login")
	if got != version+" ii " {
		t.Errorf("dpkg says %s", got)
	}
	session.TypeLine("sudo -k; sudo id -u")
	session.SignIn(rig.Admin)
	session.Expect(`\n0\n`)
	session.Expect(`\$ `)
	session.TypeLine("exit")
	session.EndsWell()
	v.localsGetIn(t)
}

// restart checks that a machine has all accounts after it has booted again.
func (v *visit) restart(t *testing.T) {
	v.off(t, "reboot")
	v.boot(t)
	if entry := v.must(t, "getent", "passwd", rig.Admin); entry != v.first {
		t.Errorf("booted again, it is %q; was %q", entry, v.first)
	}
	modes := v.must(t, "stat", "-c", "%U %a", "/run/aad-login", "/var/cache/aad-login")
	if modes != "root 700\nroot 700\n" {
		t.Errorf("directories: %q", modes)
	}
	// This is possible only now: before glibc 2.33, running processes such as logind and the bus
	// never read nsswitch.conf again.
	c := v.ssh(t, rig.Admin, "loginctl list-sessions --no-legend --no-pager; sudo id -u")
	c.SignIn(rig.Admin)
	c.Expect(strings.Split(v.first, ":")[2] + ` +admin@contoso`)
	c.SignIn(rig.Admin)
	c.Expect(`\n0\n`)
	c.EndsWell()
	v.localsGetIn(t)
}

// remove removes the package during a session. The configuration stays.
func (v *visit) remove(t *testing.T) {
	session := v.ssh(t, rig.Admin, "echo begun; cat")
	session.SignIn(rig.Admin)
	session.Expect(`begun\n`)
	out := v.must(t, "apt-get", "remove", "--yes", "aad-login")
	if !strings.Contains(out, "aad-login: "+rig.Admin+" is signed in") {
		t.Errorf("apt said %s", out)
	}
	session.TypeLine("on")
	session.Expect(`on\non\n`)
	session.TypeLine("\x04")
	session.EndsWell()
	v.asBefore(t)
	if out := v.must(t, "find", "/lib/", "/usr/lib/", "-name", "*_aad.so*"); out != "" {
		t.Errorf("left behind: %s", out)
	}
	if out, status := v.command(t, "getent", "passwd", rig.Admin); status != 2 {
		t.Errorf("removed, and getent says %s", out)
	}
}

// purge follows another installation, which finds everything as it was configured.
func (v *visit) purge(t *testing.T) {
	v.bring(t, rig.DebianPackage(t))
	c := v.ssh(t, rig.Admin, "id -un")
	c.SignIn(rig.Admin)
	c.Expect(`\nadmin@contoso\.example\n`)
	c.EndsWell()
	out := v.must(t, "apt-get", "purge", "--yes", "aad-login")
	if !strings.Contains(out, "rm -r /var/lib/aad-login") {
		t.Errorf("apt said %s", out)
	}
	v.asBefore(t)
	out, status := v.command(t, "ls", "-d", "/etc/aad-login", "/var/cache/aad-login",
		"/run/aad-login", "/usr/share/aad-login")
	if status == 0 || strings.HasPrefix(out, "/") {
		t.Errorf("left behind: %s", out)
	}
}

// asBefore compares the machine's files with those before the package.
func (v *visit) asBefore(t *testing.T) {
	t.Helper()
	for _, line := range rig.Differences(v.before, v.must(t, "sh", "-c", rig.WiringCommand)) {
		t.Error(line)
	}
	v.localsGetIn(t)
}
