// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Nothing that happens to the package, and nothing that is missing or broken of it, may keep an administrator out who has nothing
// to do with Entra ID.

const consolePassword = "console 1"

// locals are the people who must get in: root on the console, and a local user over SSH with a password or a key.
type locals struct {
	key  []string // of ssh
	seen string   // the state of the machine in which they last did
}

func newLocals(t *testing.T) *locals {
	t.Helper()
	localUser(t)
	if out, status := command(t, "root:"+consolePassword+"\n", "chpasswd"); status != 0 {
		t.Fatal(out)
	}
	known, _ := key(t, "2236", "any")
	return &locals{key: known}
}

// getIn tries all of them. The machine's files decide, so it need not be tried twice in the same state.
func (l *locals) getIn(t *testing.T, when string) {
	t.Helper()
	state := wiring(t) + must(t, "sh", "-c", "ls -l /lib/*/libnss_aad.so.2 /lib/*/security/pam_aad.so /etc/aad-login 2>&1; true")
	if state == l.seen {
		return
	}
	l.seen = state
	t.Run(when, func(t *testing.T) {
		console := open(t, "/bin/login", "root")
		password := open(t, "ssh", append(sshArgs("-tt", "local@127.0.0.1"), "echo in as $(id -un)")...)
		public := open(t, "ssh", append(l.key, "local@127.0.0.1", "echo in as $(id -un)")...)
		for _, c := range []*terminal{console, password} {
			secret := map[*terminal]string{console: consolePassword, password: localPassword}[c]
			c.expect(`[Pp]assword: `)
			c.typeLine(secret)
		}
		public.expect(`in as local\n`)
		password.expect(`in as local\n`)
		console.expect(`# `)
		console.typeLine("echo in as $(id -un); exit")
		console.expect(`in as root\n`)
		must(t, "/usr/sbin/sshd", "-t") // for the next start
		must(t, "visudo", "-cq")
	})
}

// A PAM module that is missing or no module, a name service likewise, a configuration or store that cannot be read: local people
// do not notice, and accounts of ours stay outside, also those with a key, who never meet the auth phase.
func TestMissingPiecesLockNobodyOut(t *testing.T) {
	const name = "user@contoso.example"
	stored(t, name)
	l := newLocals(t)
	pam, names := fileAt(t, "/lib/*/security/pam_aad.so"), fileAt(t, "/lib/*/libnss_aad.so.2")
	junk := func(string) []byte { return []byte("no module\n") }
	missing := func(string) []byte { return nil }
	for what, broken := range map[string]map[string]func(string) []byte{
		"PAM module missing":    {pam: missing},
		"PAM module broken":     {pam: junk},
		"name service missing":  {names: missing},
		"name service broken":   {names: junk},
		"both modules missing":  {pam: missing, names: missing},
		"configuration missing": {configFile: missing},
		"configuration broken":  {configFile: junk},
		"store broken":          {storeFile: junk},
	} {
		t.Run(what, func(t *testing.T) {
			for file, change := range broken {
				edit(t, file, change)
			}
			l.seen = ""
			l.getIn(t, "locals")
			c := open(t, "ssh", append(l.key, name+"@127.0.0.1", "-o", "BatchMode=yes", "echo in as $(id -un)")...)
			if status, rest := c.end(); status != 255 || strings.Contains(rest, "in as") {
				t.Errorf("an account of ours: exit status %d, said %q", status, rest)
			}
		})
	}
}

// killedAtEach runs a script of a package again and again, killed in front of its first command that may change something, its
// second and so on, until it comes to its end, and calls then after each.
func killedAtEach(t *testing.T, script string, args []string, then func(what string)) {
	t.Helper()
	for n := range 100 {
		kill := fmt.Sprintf(`n=0 looks='^(for|sed|case|\[|grep|getent|stat|named_by|continue|entry=)'
			trap '[[ $BASH_COMMAND =~ $looks ]] || (( n++ != %d )) || kill -9 $$' DEBUG; . "$0"`, n)
		out, status := command(t, "", "bash", append([]string{"-T", "-c", kill, script}, args...)...)
		if status > 0 {
			t.Fatalf("%s %v, killed at %d: exit status %d: %s", script, args, n, status, out)
		}
		if status == 0 {
			if n < 8 {
				t.Errorf("%s has %d commands", script, n)
			}
			return
		}
		then(fmt.Sprintf("%s killed at %d", filepath.Base(script), n))
	}
	t.Fatalf("%s never comes to its end", script)
}

// Between any two steps of installing, upgrading, removing and purging, whatever ends them there.
func TestPackagingLocksNobodyOut(t *testing.T) {
	l := newLocals(t)
	l.getIn(t, "installed")
	getIn := func(when string) { l.getIn(t, when) }
	whole := wiring(t)
	killedAtEach(t, scripts+"prerm", []string{"remove"}, getIn)
	must(t, "dpkg", "--install", "--force-confold", debian(t)) // to dpkg an upgrade, which mends what a removal had begun
	for _, line := range differences(whole, wiring(t)) {
		t.Errorf("half removed and mended, the machine differs: %s", line)
	}
	install := unwired(t)
	l.getIn(t, "removed")

	t.Run("with dpkg", func(t *testing.T) { installKilled(t, install) })
	l.getIn(t, "dpkg's script killed")
	killedAtEach(t, scripts+"postinst", []string{"configure", ""}, getIn)
	must(t, "dpkg", "--configure", "-a")
	l.getIn(t, "installed after all")
	for _, line := range differences(whole, wiring(t)) {
		t.Errorf("repaired, the machine differs: %s", line)
	}
	must(t, "dpkg", "--purge", "aad-login")
	l.getIn(t, "purged")
}

// installKilled is an installation whose script is killed when it calls pam-auth-update.
func installKilled(t *testing.T, install func() (string, int)) {
	dir := t.TempDir()
	stub := "#!/bin/sh\ncase $* in *--root*) exec /usr/sbin/pam-auth-update \"$@\" ;; esac\nkill -9 $PPID\n"
	if err := os.WriteFile(filepath.Join(dir, "pam-auth-update"), []byte(stub), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	if out, status := install(); status == 0 || !strings.Contains(out, "killed by signal (Killed)") {
		t.Errorf("exit status %d, said %s", status, out)
	}
}

// Wherever an installation runs out of room in /etc, it stops and leaves every file whole; with room it goes on.
func TestFullDiskLocksNobodyOut(t *testing.T) {
	l := newLocals(t)
	install := unwired(t)
	fill, room := fullEtc(t)
	fill()
	if out, status := install(); status == 0 || !strings.Contains(out, "No space left on device") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	l.getIn(t, "unpacking stopped")
	room()
	must(t, "dpkg", "--purge", "aad-login") // its own files do not make room then
	must(t, "dpkg", "--unpack", debian(t))
	fill()
	configuredAtLast(t, l)
	room()
	must(t, "dpkg", "--remove", "aad-login") // as the /etc below has it
}

const filler = "/etc/aad-login/filler"

// fullEtc puts a copy of /etc, on a file system of its own, over the machine's, and returns what fills it and what makes room again.
func fullEtc(t *testing.T) (fill, room func()) {
	t.Helper()
	full := t.TempDir()
	must(t, "sh", "-c", `mount -t tmpfs -o mode=755,size=$(($(du -sk --apparent-size /etc | cut -f1) + 8192))k full "$0" &&
		cp -a /etc/. "$0" && mount --bind "$0" /etc`, full)
	t.Cleanup(func() {
		must(t, "umount", "/etc")
		must(t, "umount", full)
	})
	fill = func() {
		if out, status := command(t, "", "dd", "if=/dev/zero", "of="+filler, "bs=4k"); status == 0 {
			t.Fatal(out)
		}
	}
	return fill, func() { must(t, "rm", filler) }
}

// configuredAtLast has dpkg configure the package again and again, each time with a little more room in /etc.
func configuredAtLast(t *testing.T, l *locals) {
	t.Helper()
	failed := 0
	for ; failed < 20; failed++ {
		if out, status := command(t, "", "dpkg", "--configure", "aad-login"); status == 0 {
			break
		} else if !strings.Contains(out, "No space left on device") {
			t.Errorf("exit status %d, said %s", status, out)
		}
		l.getIn(t, fmt.Sprintf("configuring with room for %d", failed))
		must(t, "truncate", "-s", "-4k", filler)
	}
	if failed < 1 || failed == 20 {
		t.Errorf("it failed %d times", failed)
	}
	l.getIn(t, "configured")
}
