// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// TestRelease walks through the life of the package on one release, run by the script "matrix".
// Each step goes on where the one before has left the machine, and local people get in after each
// that changes it.
func TestRelease(t *testing.T) {
	if releaseRoot() == "" {
		t.Skip("it takes a root of another release; run: make matrix")
	}
	v := visit{release: newRelease(t), locals: rig.NewKeyPair(t)}
	v.settleIn(t)
	for _, step := range []struct {
		name string
		do   func(*visit, *testing.T)
	}{
		{"previous release", (*visit).previous},
		{"install", (*visit).install},
		{"setup", (*visit).setup},
		{"names", (*visit).names},
		{"administrator", (*visit).administrator},
		{"user", (*visit).user},
		{"refusals", (*visit).refusals},
		{"own client", (*visit).ownClient},
		{"files", (*visit).files},
		{"key", (*visit).key},
		{"metrics", (*visit).metrics},
		{"upgrade", (*visit).upgrade},
		{"reboot", (*visit).restart},
		{"user manager", (*visit).userManager},
		{"remove", (*visit).remove},
		{"purge", (*visit).purge},
	} {
		if !t.Run(step.name, func(t *testing.T) { v.console.T = t; step.do(&v, t) }) {
			t.Fatalf("%s failed; the steps after it need it", step.name)
		}
	}
	v.console.T = t
	v.off(t, "poweroff")
}

// visit is what the steps have in common.
type visit struct {
	*release
	locals rig.KeyPair // the local user's
	before string      // the machine's files before the package
	first  string      // the administrator's entry at the first sign-in
}

// settleIn makes the machine one that somebody runs already: with root on the console, a local user
// with sudo, and an sshd that lets in by group.
func (v *visit) settleIn(t *testing.T) {
	v.must(t, "useradd", "--create-home", "--shell", "/bin/bash", "local")
	v.must(t, "sh", "-c", `printf "%s\n" "$@" | chpasswd`, "sh", "root:"+rig.ConsolePassword,
		"local:"+rig.LocalPassword)
	v.must(t, "install", "-d", "-o", "local", "-m", "0700", "/home/local/.ssh")
	v.write(t, "/home/local/.ssh/authorized_keys", v.locals.Public, 0o644)
	v.write(t, "/etc/sudoers.d/local", "local ALL=(ALL) ALL\n", 0o440)
	v.write(t, "/etc/ssh/sshd_config.d/20-groups.conf", "AllowGroups aad_users local\n", 0o644)
	v.must(t, "systemctl", "reload", "ssh")
	// 60 s by default, as the check says
	v.must(t, "sed", "-i", "s/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 300/", "/etc/login.defs")
	v.before = v.must(t, "sh", "-c", rig.WiringCommand)
	v.localsGetIn(t)
}

// localsGetIn is root on the console, and a local user with a password, sudo, and a key.
func (v *visit) localsGetIn(t *testing.T) {
	t.Helper()
	v.console.TypeLine("root")
	v.console.Expect(`Password: `)
	v.console.TypeLine(rig.ConsolePassword)
	v.console.Expect(`# `)
	v.console.TypeLine("echo in as $(id -un)")
	v.console.Expect(`in as root\n`)
	v.console.Expect(`# `)
	// not before: the next getty hangs the console up, and what it has not shown is lost
	v.console.TypeLine("exit")
	v.console.Expect(` login: `)

	c := v.ssh(t, "local", "echo in as $(id -un); sudo -k; sudo id -u")
	c.Expect(`[Pp]assword: `)
	c.TypeLine(rig.LocalPassword)
	c.Expect(`in as local\n`)
	c.Expect(`\[sudo\] password for local: `)
	c.TypeLine(rig.LocalPassword)
	c.Expect(`\n0\n`)
	c.EndsWell()

	c = v.sshWith(t, v.locals.Args(), "local", "echo in as $(id -un)")
	c.Expect(`in as local\n`)
	c.EndsWell()
	if strings.Contains(c.All(), "assword") {
		t.Error("a password was asked for beside the key")
	}
}

// bring copies a package to the machine and installs it as README.md says.
func (v *visit) bring(t *testing.T, file string) string {
	t.Helper()
	rig.Must(t, "cp", file, filepath.Join(v.root, "var/tmp/aad-login.deb"))
	_, absent := v.command(t, "aadctl", "version")
	before := v.listener(t)
	out := v.must(t, "apt-get", "install", "--yes", "--allow-downgrades",
		"-oDpkg::Options::=--force-confold", "/var/tmp/aad-login.deb")
	if absent != 0 { // so sshd is told to read its files again, which it does in its own time
		rig.Eventually(t, "sshd has read its files", rig.Patience,
			func() bool { return v.listener(t) != before })
	}
	v.listens(t)
	return out
}

// listener is the sockets that sshd listens on: others, once it has read its files again.
func (v *visit) listener(t *testing.T) string {
	t.Helper()
	return v.must(t, "awk", `$2 ~ /:0016$/ && $4 == "0A" { print $10 }`,
		"/proc/net/tcp", "/proc/net/tcp6")
}

// listens waits for sshd, which does not listen for a moment when it reads its files again.
func (v *visit) listens(t *testing.T) {
	t.Helper()
	rig.Eventually(t, "sshd listens", rig.Patience, func() bool {
		c, err := net.Dial("tcp", rig.Near+":22")
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// repository has the next version in a repository, and the machine know it for the length of a
// step. Lists of another key are refused.
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
	_, status := v.command(t, "mkdir", "/etc/apt/keyrings") // Debian has it since 12
	t.Cleanup(func() {
		v.must(t, "rm", "/etc/apt/keyrings/aad-login.asc",
			"/etc/apt/sources.list.d/aad-login.sources")
		if status == 0 {
			v.must(t, "rmdir", "/etc/apt/keyrings")
		}
	})
	v.write(t, "/etc/apt/sources.list.d/aad-login.sources",
		rig.Must(t, "cat", p.Dir+"/aad-login.sources"), 0o644)
	apt = []string{"apt-get", "--yes",
		"-oDir::Etc::sourcelist=/etc/apt/sources.list.d/aad-login.sources",
		"-oDir::Etc::sourceparts=/dev/null"}
	v.write(t, "/etc/apt/keyrings/aad-login.asc", rig.Must(t, "cat", stranger.Dir+"/aad-login.asc"),
		0o644)
	if out, status := v.command(t, append(apt, "update")...); status == 0 ||
		!strings.Contains(out, "not signed") {
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

// setup is README.md's step 5, with the emulator's addresses filled in beforehand.
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

// names are the answers of this glibc, which the file holds.
func (v *visit) names(t *testing.T) {
	v.write(t, "/var/tmp/alice",
		"alice@contoso.example:*:300001:300001:Alice:/home/alice:/bin/sh\n", 0o644)
	v.must(t, "aadctl", "account", "import", "/var/tmp/alice")
	// one that hears of accounts before their first sign-in
	v.must(t, "cp", "/usr/bin/getent", "/var/tmp/sshd")
	want, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	questions := regexp.MustCompile(`(?m)^\$ (.*)$`).FindAllStringSubmatch(string(want), -1)
	for _, question := range questions {
		out, status := v.command(t, strings.Fields(question[1])...)
		fmt.Fprintf(&got, "$ %s\n%s", question[1], out)
		if status != 0 {
			fmt.Fprintf(&got, "exit status %d\n", status)
		}
	}
	if got.String() != string(want) || len(questions) < 10 {
		t.Errorf("%d questions, %q:\n%s", len(questions), rig.Differences(string(want),
			got.String()), got.String())
	}
	v.must(t, "aadctl", "account", "remove", "alice@contoso.example")
}

// administrator signs in for the first time, at an sshd that lets in by group.
func (v *visit) administrator(t *testing.T) {
	c := v.ssh(t, rig.Admin)
	c.Expect(`Signing in to ` + filepath.Base(v.root) + ` as admin@contoso\.example \(sshd, from ` +
		rig.Here + `\)\. \n`)
	c.SignIn(rig.Admin)
	c.Expect(`\$ `)
	c.TypeLine("id; pwd; stat -c '%U %G %a' .")
	id := c.Expect(`uid=(\d+)\(admin@contoso\.example\) gid=(\d+)\(admin@contoso\.example\) groups=(.*)\n`)
	if id[1] != id[2] || !strings.Contains(id[3], "(aad_users)") ||
		!strings.Contains(id[3], "(aad_admins)") {
		t.Errorf("id said %s", id[0])
	}
	c.Expect(`/home/admin@contoso\.example\nadmin@contoso\.example admin@contoso\.example 700\n`)
	c.TypeLine("sudo id -u")
	c.Expect(`Signing in to \S+ as admin@contoso\.example \(sudo\)\. \n`)
	c.SignIn(rig.Admin)
	c.Expect(`\n0\n`)
	c.Expect(`\$ `) // sudo throws away what is typed before it has ended
	c.TypeLine("exit")
	c.EndsWell()
	v.first = v.must(t, "getent", "passwd", rig.Admin)
}

func (v *visit) user(t *testing.T) {
	c := v.ssh(t, rig.User, "id -Gn; sudo id")
	c.SignIn(rig.User)
	if groups := c.Expect(`user@contoso\.example aad_users\n`)[0]; strings.Contains(groups,
		"aad_admins") {
		t.Errorf("groups %q", groups)
	}
	c.SignIn(rig.User)
	c.Expect(`not in the sudoers file`)
	if status, _ := c.End(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}

// refusals are told in full, whichever way this sshd has of telling them.
func (v *visit) refusals(t *testing.T) {
	c := v.ssh(t, "norole@contoso.example")
	c.SignIn("norole@contoso.example")
	c.Expect(rig.DeniedSentence +
		"\nScope: /subscriptions/\\S+\nObject ID: " +
		"eeeeeeee-4444-5555-6666-ffffffffffff\nCorrelation ID: [0-9a-f-]{36}\n")
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("not closed: exit status %d, said %q", status, rest)
	}
	c = v.ssh(t, "Admin@Contoso.Example")
	c.Expect(`This account is spelled admin@contoso\.example on this machine\. Connect again with exactly that name\.`)
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	c = v.ssh(t, rig.Admin, "id -un")
	c.SignIn(rig.User)
	c.Expect(`This sign-in is for admin@contoso\.example, but user@contoso\.example signed in with the browser\.`)
	c.SignIn(rig.Admin)
	c.Expect(`\nadmin@contoso\.example\n`)
	c.EndsWell()
}

// ownClient is the ssh of this release: with -q, which hides from OpenSSH 10.3 on what is no
// prompt, and without.
func (v *visit) ownClient(t *testing.T) {
	for _, quiet := range []string{"-q", "-v"} {
		args := append([]string{"ssh", quiet, "-p", "22", "-tt"},
			rig.SSHArgs(rig.User+"@127.0.0.1", "id -un")...)
		c := rig.Open(t, "nsenter", v.in(args...)...)
		c.Expect(`Signing in to \S+ as user@contoso\.example \(sshd, from 127\.0\.0\.1\)\. \n`)
		c.SignIn(rig.User)
		c.Expect(`\nuser@contoso\.example\n`)
		c.EndsWell()
	}
}

// files go there and back by scp, in both of its protocols, and sftp.
func (v *visit) files(t *testing.T) {
	dir := t.TempDir()
	rig.Must(t, "dd", "if=/dev/urandom", "of="+dir+"/file", "bs=1k", "count=300")
	options := append([]string{"-o", "Port=22"}, rig.SSHArgs()...)
	for _, copying := range [][]string{
		append(append([]string{"scp"}, options...), dir+"/file", rig.User+"@"+rig.Near+":"),
		append(append([]string{"scp", "-O"}, options...), rig.User+"@"+rig.Near+":file",
			dir+"/back"),
	} {
		c := rig.Open(t, copying[0], copying[1:]...)
		c.SignIn(rig.User)
		c.EndsWell()
	}
	rig.Must(t, "cmp", dir+"/file", dir+"/back")
	c := rig.Open(t, "sftp", append(options, rig.User+"@"+rig.Near)...)
	c.SignIn(rig.User)
	for _, line := range []string{"rename file moved", "get moved " + dir + "/again", "rm moved",
		"exit"} {
		c.Expect(`sftp> `)
		c.TypeLine(line)
	}
	c.EndsWell()
	rig.Must(t, "cmp", dir+"/file", dir+"/again")
}

// key is a login without a browser, of somebody who has put a key there, and has the role or not.
func (v *visit) key(t *testing.T) {
	pair := rig.NewKeyPair(t)
	c := v.ssh(t, rig.User, "umask 077; mkdir .ssh; echo '"+strings.TrimSpace(pair.Public)+
		"' >.ssh/authorized_keys")
	c.SignIn(rig.User)
	c.EndsWell()
	c = v.sshWith(t, pair.Args(), rig.User, "id -un")
	c.Expect(`user@contoso\.example\n`)
	c.EndsWell()
	if strings.Contains(c.All(), "To sign in") {
		t.Error("a code was shown beside the key")
	}
	rig.Revoke(t, rig.User)
	c = v.sshWith(t, pair.Args("-o", "KbdInteractiveAuthentication=no"),
		rig.User, "echo in as $(id -un)")
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "in as") {
		t.Errorf("without the role: exit status %d, said %q", status, rest)
	}
}

// metrics are counted by systemd's service, which has a sandbox, and by nobody who has not asked
// for it.
func (v *visit) metrics(t *testing.T) {
	const directory = "/var/lib/prometheus/node-exporter"
	if out, _ := v.command(t, "systemctl", "is-enabled",
		"aad-login-metrics.timer"); strings.TrimSpace(out) != "disabled" {
		t.Errorf("the timer is %s", out)
	}
	v.must(t, "mkdir", "-p", directory)
	t.Cleanup(func() { v.must(t, "rm", "-r", filepath.Dir(directory)) })
	v.must(t, "systemctl", "start", "aad-login-metrics.service")
	text := v.must(t, "cat", directory+"/aad-login.prom")
	if !regexp.MustCompile(`(?m)^aadlogin_attempts_total\{outcome="signed-in"\} [1-9]`).
		MatchString(text) ||
		!regexp.MustCompile(`(?m)^aadlogin_round_trip_seconds_count\{server="entra"\} [1-9]`).
			MatchString(text) {
		t.Errorf("counted:\n%s", text)
	}
}

// userManager is user@UID.service, whose account phase is asked when systemd starts it, for who has
// the role and who has it no more.
func (v *visit) userManager(t *testing.T) {
	unit := "user@" + strings.TrimSpace(v.must(t, "id", "-u", rig.User)) + ".service"
	v.must(t, "systemctl", "start", unit)
	if said := v.log(t, `authorized .*service="systemd-user"`); !strings.Contains(said, rig.User) {
		t.Errorf("log: %q", said)
	}
	v.must(t, "systemctl", "stop", unit)
	rig.Revoke(t, rig.User)
	if out, status := v.command(t, "systemctl", "start", unit); status == 0 {
		t.Errorf("started without the role: %s", out)
	}
	if said := v.log(t, `denied .*service="systemd-user"`); !strings.Contains(said, rig.User) {
		t.Errorf("log: %q", said)
	}
}

// upgrade brings the next version, while somebody is signed in and goes on.
func (v *visit) upgrade(t *testing.T) {
	session := v.ssh(t, rig.Admin)
	session.SignIn(rig.Admin)
	session.Expect(`\$ `)
	apt, version := v.repository(t)
	v.must(t, append(apt, "upgrade")...)
	v.listens(t)
	if got := v.must(t, "dpkg-query", "-W", "-f", "${Version} ${db:Status-Abbrev}",
		"aad-login"); got != version+" ii " {
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

// restart is a machine that comes up again with what it has stored.
func (v *visit) restart(t *testing.T) {
	v.off(t, "reboot")
	v.boot(t)
	if entry := v.must(t, "getent", "passwd", rig.Admin); entry != v.first {
		t.Errorf("booted again, it is %q; was %q", entry, v.first)
	}
	if modes := v.must(t, "stat", "-c", "%U %a", "/run/aad-login",
		"/var/cache/aad-login"); modes != "root 700\nroot 700\n" {
		t.Errorf("directories: %q", modes)
	}
	// Only now: before glibc 2.33 a process that runs, as logind and the bus do, never reads
	// nsswitch.conf again.
	c := v.ssh(t, rig.Admin, "loginctl list-sessions --no-legend --no-pager; sudo id -u")
	c.SignIn(rig.Admin)
	c.Expect(strings.Split(v.first, ":")[2] + ` +admin@contoso`)
	c.SignIn(rig.Admin)
	c.Expect(`\n0\n`)
	c.EndsWell()
	v.localsGetIn(t)
}

// remove takes the package away under somebody who is signed in. The configuration stays.
func (v *visit) remove(t *testing.T) {
	session := v.ssh(t, rig.Admin, "echo begun; cat")
	session.SignIn(rig.Admin)
	session.Expect(`begun\n`)
	if out := v.must(t, "apt-get", "remove", "--yes", "aad-login"); !strings.Contains(out,
		"aad-login: "+rig.Admin+" is signed in") {
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

// purge is after another installation, which finds everything as it was configured.
func (v *visit) purge(t *testing.T) {
	v.bring(t, rig.DebianPackage(t))
	c := v.ssh(t, rig.Admin, "id -un")
	c.SignIn(rig.Admin)
	c.Expect(`\nadmin@contoso\.example\n`)
	c.EndsWell()
	if out := v.must(t, "apt-get", "purge", "--yes", "aad-login"); !strings.Contains(out,
		"rm -r /var/lib/aad-login") {
		t.Errorf("apt said %s", out)
	}
	v.asBefore(t)
	if out, status := v.command(t, "ls", "-d", "/etc/aad-login", "/var/cache/aad-login",
		"/run/aad-login", "/usr/share/aad-login"); status == 0 ||
		strings.HasPrefix(out, "/") {
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
