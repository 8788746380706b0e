// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// TestRelease goes through the life of the package on one release. The script "matrix" runs it.
// Each step begins where the step before has left the machine. After each step that changes it,
// local users get in.
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

// visit is the state that the steps share.
type visit struct {
	*release
	locals rig.KeyPair // the local user's
	before string      // the machine's files before the package
	first  string      // the administrator's entry at the first sign-in
}

// settleIn makes the machine one that is in use: with root on the console, a local user with sudo,
// and an sshd that lets in by group.
func (v *visit) settleIn(t *testing.T) {
	v.must(t, "useradd", "--create-home", "--shell", "/bin/bash", "local")
	v.must(t, "sh", "-c", `printf "%s\n" "$@" | chpasswd`, "sh", "root:"+rig.ConsolePassword,
		"local:"+rig.LocalPassword)
	v.must(t, "install", "-d", "-o", "local", "-m", "0700", "/home/local/.ssh")
	v.write(t, "/home/local/.ssh/authorized_keys", v.locals.Public, 0o644)
	v.write(t, "/etc/sudoers.d/local", "local ALL=(ALL) ALL\n", 0o440)
	v.write(t, "/etc/ssh/sshd_config.d/20-groups.conf", "AllowGroups aad_users local\n", 0o644)
	v.must(t, "systemctl", "reload", "ssh")
	// The default is 60 s, as the check says.
	v.must(t, "sed", "-i", "s/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 300/", "/etc/login.defs")
	v.before = v.must(t, "sh", "-c", rig.WiringCommand)
	v.localsGetIn(t)
}

// localsGetIn checks root on the console, and a local user with a password, sudo, and a key.
func (v *visit) localsGetIn(t *testing.T) {
	t.Helper()
	v.console.TypeLine("root")
	v.console.Expect(`Password: `)
	v.console.TypeLine(rig.ConsolePassword)
	v.console.Expect(`# `)
	v.console.TypeLine("echo in as $(id -un)")
	v.console.Expect(`in as root\n`)
	v.console.Expect(`# `)
	// The next getty hangs the console up, and unshown output is lost. So this waits.
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

// listener returns the sockets that sshd listens on. They change when it has read its files again.
func (v *visit) listener(t *testing.T) string {
	t.Helper()
	return v.must(t, "awk", `$2 ~ /:0016$/ && $4 == "0A" { print $10 }`,
		"/proc/net/tcp", "/proc/net/tcp6")
}

// listens waits for sshd, which for a moment does not listen when it reads its files again.
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
