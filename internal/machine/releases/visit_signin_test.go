// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// names compares the answers of this glibc with the file.
func (v *visit) names(t *testing.T) {
	v.write(t, "/var/tmp/alice",
		"alice@contoso.example:*:300001:300001:Alice:/home/alice:/bin/sh\n", 0o644)
	v.must(t, "aadctl", "account", "import", "/var/tmp/alice")
	// This program learns of accounts before their first sign-in.
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
		t.Errorf("%d questions, %q:\n%s",
			len(questions), rig.Differences(string(want), got.String()), got.String())
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
	groups := c.Expect(`user@contoso\.example aad_users\n`)[0]
	if strings.Contains(groups, "aad_admins") {
		t.Errorf("groups %q", groups)
	}
	c.SignIn(rig.User)
	c.Expect(`not in the sudoers file`)
	if status, _ := c.End(); status != 1 {
		t.Errorf("exit status %d", status)
	}
}

// refusals checks that refusals are shown in full, however this sshd shows them.
func (v *visit) refusals(t *testing.T) {
	c := v.ssh(t, "norole@contoso.example")
	c.SignIn("norole@contoso.example")
	c.Expect(rig.DeniedSentence + "\nScope: /subscriptions/\\S+\n" +
		"Object ID: eeeeeeee-4444-5555-6666-ffffffffffff\nCorrelation ID: [0-9a-f-]{36}\n")
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

// ownClient uses the ssh of this release, with -q and without. Since OpenSSH 10.3, -q hides
// everything but prompts.
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

// files copies files there and back by scp, in both of its protocols, and by sftp.
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
	for _, line := range []string{
		"rename file moved", "get moved " + dir + "/again", "rm moved", "exit",
	} {
		c.Expect(`sftp> `)
		c.TypeLine(line)
	}
	c.EndsWell()
	rig.Must(t, "cmp", dir+"/file", dir+"/again")
}

// key logs in without a browser, as a user who has installed a key, with the role and without.
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

// userManager starts user@UID.service with the role and without. systemd asks its account phase at
// the start.
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
