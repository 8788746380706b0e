// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

// reuse sets sign_in.reuse_window for the length of a test, which begins and ends without any window, and without the notes of
// sessions that other tests have yet to end.
func reuse(t *testing.T, window string) {
	t.Helper()
	closeAll := func() { os.RemoveAll("/run/aad-login") }
	closeAll()
	t.Cleanup(closeAll)
	edit(t, configFile, func(s string) []byte { return []byte(s + "\n[sign_in]\nreuse_window = \"" + window + "\"\n") })
}

// hire gives the directory a person with a role here, or a person another role.
func hire(t *testing.T, name, role string) {
	t.Helper()
	err := entra.Update(func(d *emulator.Directory) {
		if !slices.ContainsFunc(d.Users, func(u emulator.User) bool { return u.Name == name }) {
			d.Users = append(d.Users, emulator.User{Name: name, ObjectID: fmt.Sprintf("cdcdcdcd-0000-0000-0000-%x", name[:6])})
		}
		d.Assignments = slices.DeleteFunc(d.Assignments, func(a emulator.Assignment) bool { return a.Principal == name })
		if role != "" {
			d.Assignments = append(d.Assignments, emulator.Assignment{Principal: name, Role: role, Scope: d.Machine.ResourceID})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

const (
	loginRole = "Virtual Machine User Login"
	adminRole = "Virtual Machine Administrator Login"
)

// shell is a session, begun with a browser if it takes one.
func shell(t *testing.T, name string, options ...string) *terminal {
	t.Helper()
	c := open(t, "ssh", append(options, sshArgs("-tt", name+"@127.0.0.1")...)...)
	if c.expect(`Signing in|\$ `)[0] == "Signing in" {
		c.signIn(name)
		c.expect(`\$ `)
	}
	return c
}

// from is "ssh NAME@host [COMMAND]" from another address of this machine.
func from(t *testing.T, address, name string, command ...string) *terminal {
	t.Helper()
	return open(t, "ssh", append(sshArgs("-tt", "-b", address, name+"@127.0.0.1"), command...)...)
}

// silently runs a program of OpenSSH's without a terminal, a person or a key. BatchMode=yes would not do: a client in that
// mode never tries keyboard-interactive.
func silently(t *testing.T, stdin, program string, args ...string) string {
	t.Helper()
	all := []string{"-w", program, "-F", "none", "-o", "Port=" + sshPort, "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no"}
	out, status := command(t, stdin, "setsid", append(all, args...)...)
	if status != 0 {
		t.Errorf("%s: exit status %d, said %q", program, status, out)
	}
	return out
}

func (c *terminal) wentWell() {
	c.t.Helper()
	if status, rest := c.end(); status != 0 {
		c.t.Errorf("exit status %d, said %q", status, rest)
	}
}

// What an editor does: one connection with a browser, then ten at once and ten one after the other, and files.
func TestReuseBurst(t *testing.T) {
	const name = "burst@contoso.example"
	reuse(t, "10m")
	hire(t, name, loginRole)
	before, asked := requests("devicecode"), requests("checkaccess")
	c := ssh(t, name, "id -un")
	c.signIn(name)
	c.wentWell()
	mark := syslog.mark()

	once := func() {
		if out := silently(t, "", "ssh", name+"@127.0.0.1", "id", "-un"); out != name+"\n" {
			t.Errorf("said %q", out)
		}
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(once)
	}
	all.Wait()
	for range 10 {
		once()
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	silently(t, "", "scp", file, name+"@127.0.0.1:copy") // by sftp
	silently(t, "get copy "+file+".back\n", "sftp", name+"@127.0.0.1")
	if text, err := os.ReadFile(file + ".back"); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	if n := requests("devicecode") - before; n != 1 {
		t.Errorf("%d device codes, want 1", n)
	}
	if n := requests("checkaccess") - asked; n != 23 {
		t.Errorf("Azure was asked %d times, want 23", n)
	}
	if got := syslog.find(mark, `signed-in reason="reuse" account="burst@contoso\.example" .*role=.* reuse_of="[0-9a-f-]{36}" browser="20\S+" from="127\.0\.0\.1"`); len(got) != 22 {
		t.Errorf("%d lines, want 22: %q", len(got), syslog.find(mark, ""))
	}
}

// sshd's password authentication lets in by a window, too, with whatever was typed: there is nothing left to show.
func TestReuseByPasswordAuthentication(t *testing.T) {
	const name = "burst@contoso.example"
	reuse(t, "10m")
	hire(t, name, loginRole)
	c := ssh(t, name, "true")
	c.signIn(name)
	c.wentWell()
	c = byPassword(t, name, "id -un")
	c.expect(`password: `)
	c.typeLine("anything")
	c.expect(`\nburst@contoso\.example\n`)
}

// Another address, another name and another time take a code; a lost role takes none, and lets nobody in.
func TestReuseEnds(t *testing.T) {
	const name, other = "ends@contoso.example", "burst@contoso.example"
	reuse(t, "10m")
	hire(t, name, loginRole)
	hire(t, other, loginRole)
	c := ssh(t, name, "true")
	c.signIn(name)
	c.wentWell()

	c = from(t, "127.0.0.2", name)
	c.expect(`as ends@contoso\.example \(sshd, from 127\.0\.0\.2\)`)
	c.prompted()
	ssh(t, other).prompted()
	ssh(t, name, "true").wentWell()

	hire(t, name, "")
	before := requests("devicecode")
	c = ssh(t, name)
	c.expect(deniedSentence)
	if status, rest := c.end(); status != 255 || requests("devicecode") != before {
		t.Errorf("exit status %d, %d device codes, said %q", status, requests("devicecode")-before, rest)
	}
	hire(t, name, loginRole)
	ssh(t, name).prompted() // the denial has closed the window
}

func TestReuseWindowLapses(t *testing.T) {
	const name = "burst@contoso.example"
	reuse(t, "1s")
	hire(t, name, loginRole)
	c := ssh(t, name, "true")
	c.signIn(name)
	c.wentWell()
	files, err := filepath.Glob("/run/aad-login/windows/*")
	if err != nil || len(files) != 1 {
		t.Fatalf("windows %q, %v", files, err)
	}
	opened, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the window is over", patience, func() bool { return time.Since(opened.ModTime()) > 2*time.Second })
	ssh(t, name).prompted()
}

// sudo has a window of its own, for the address of the session it is typed in.
func TestReuseInSudo(t *testing.T) {
	const name = "root@contoso.example"
	reuse(t, "10m")
	hire(t, name, adminRole)
	localUser(t)
	begin := func(address string) *terminal { return shell(t, name, "-b", address) }
	c := begin("127.0.0.1")
	if notes(t) != 1 {
		t.Fatalf("%d notes of one session", notes(t))
	}
	c.typeLine("sudo -k id -u")
	c.signIn(name) // the window of sshd is not sudo's
	c.expect(`\n0\n.*\$ `)
	mark := syslog.mark()
	c.typeLine("sudo -k id -u")
	c.expect(`\n0\n.*\$ `)
	if got := syslog.find(mark, `pam_aad\(sudo:.* signed-in reason="reuse" .*reuse_of="[0-9a-f-]{36}" .*from="127\.0\.0\.1"`); len(got) != 1 {
		t.Errorf("log: %q", syslog.find(mark, ""))
	}
	c.typeLine("echo 0 >/proc/self/loginuid && echo forged; env SSH_CONNECTION='127.0.0.1 1 127.0.0.1 2' sudo -k id -u")
	c.expect(`(not permitted|denied)[^$]*\n0\n.*\$ `)
	// Somebody else inside this session is not its owner.
	c.typeLine("sudo -u local su - " + name + " -c id; true")
	c.expect(`Signing in to \S+ as root@contoso\.example \(su-l\)`)
	c.prompted()
	c.typeLine("\x03")

	second := begin("127.0.0.1")
	second.typeLine("sudo -k id -u; exit")
	second.expect(`\n0\n`)
	second.wentWell()

	far := begin("127.0.0.2")
	far.typeLine("sudo -k id -u; exit")
	far.prompted()
	far.cmd.Process.Kill()

	// What outlives its session has no address.
	third := begin("127.0.0.1")
	third.typeLine("rm -f go went; mkfifo go; try() { sudo -k -S id -u </dev/null; echo status $?; }; (trap '' HUP; read x <go; try >went 2>&1) & try")
	third.expect(`\n0\nstatus 0\n`)
	third.typeLine("exit")
	third.end()
	eventually(t, "only the first session is left", patience, func() bool { return notes(t) == 1 })
	home := "/home/" + name
	if err := os.WriteFile(home+"/go", []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	said := ""
	eventually(t, "sudo has ended", patience, func() bool {
		text, _ := os.ReadFile(home + "/went")
		said = string(text)
		return strings.Contains(said, "status")
	})
	if !strings.Contains(said, "enter the code") || !strings.Contains(said, "status 1") {
		t.Errorf("sudo outside its session said %q", said)
	}

	// Who has lost the role loses the window with the session's group.
	hire(t, name, loginRole)
	before := requests("devicecode")
	c.typeLine("")
	c.expect(`\$ `)
	c.typeLine("sudo -k id -u")
	c.expect(`root@contoso\.example is no longer an administrator of this machine`)
	if n := requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes", n)
	}
}

// All who come in through an sshd that somebody started inside a session share that session's id: it tells no address.
func TestReuseInSharedSession(t *testing.T) {
	const port, name = "2226", "root@contoso.example"
	reuse(t, "10m")
	hire(t, name, adminRole)
	shell(t, name).cmd.Process.Kill()
	uid := strings.TrimSpace(must(t, "id", "-u", name))
	var sshd *exec.Cmd
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread has a session from here on
		err := os.WriteFile("/proc/thread-self/loginuid", []byte(uid), 0)
		if err == nil {
			sshd, err = startSSHD(port)
		}
		started <- err
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	defer func() {
		sshd.Process.Kill()
		sshd.Wait()
	}()
	c := shell(t, name, "-p", port) // the first -p counts
	eventually(t, "no session has an address", patience, func() bool { return notes(t) == 0 })
	c.typeLine("cat /proc/self/loginuid; exit")
	c.expect(`\n` + uid)
	c.end()
}

// notes counts the sessions that sudo can tell the address of.
func notes(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/run/aad-login/sessions/*")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
