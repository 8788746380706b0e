// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
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

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
)

// reuse sets sign_in.reuse_window for the length of a test, which begins and ends without any window, and without the notes of
// sessions that other tests have yet to end. Who may have one comes from a neighbour.
func reuse(t *testing.T, window string) neighbour {
	t.Helper()
	closeAll := func() { os.RemoveAll("/run/aad-login") }
	closeAll()
	t.Cleanup(closeAll)
	edit(t, configFile, func(s string) []byte { return []byte(s + "\n[sign_in]\nreuse_window = \"" + window + "\"\n") })
	return newNeighbour(t)
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

func (c *terminal) wentWell() {
	c.t.Helper()
	if status, rest := c.end(); status != 0 {
		c.t.Errorf("exit status %d, said %q", status, rest)
	}
}

// What an editor does: one connection with a browser, then ten at once and ten one after the other, and files.
func TestReuseBurst(t *testing.T) {
	const name = "burst@contoso.example"
	n := reuse(t, "10m")
	hire(t, name, loginRole)
	before, asked := requests("devicecode"), requests("checkaccess")
	c := n.from(near, name, "id -un")
	c.signIn(name)
	c.wentWell()
	mark := syslog.mark()

	once := func() {
		if out := n.silently("", "ssh", name+"@"+here, "id", "-un"); out != name+"\n" {
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
	n.silently("", "scp", file, name+"@"+here+":copy") // by sftp
	n.silently("get copy "+file+".back\n", "sftp", name+"@"+here)
	if text, err := os.ReadFile(file + ".back"); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	if n := requests("devicecode") - before; n != 1 {
		t.Errorf("%d device codes, want 1", n)
	}
	if n := requests("checkaccess") - asked; n != 23 {
		t.Errorf("Azure was asked %d times, want 23", n)
	}
	syslog.exactly(t, mark, 22, `signed-in reason="reuse" account="burst@contoso\.example" .*role=.* reuse_attempt="[0-9a-f-]{36}" reuse_time="20\S+" reuse_rhost="192\.0\.2\.7"`)
}

// sshd's password authentication lets in by a window, too, with whatever was typed: there is nothing left to show.
func TestReuseByPasswordAuthentication(t *testing.T) {
	const name = "burst@contoso.example"
	n := reuse(t, "10m")
	hire(t, name, loginRole)
	c := n.from(near, name, "true")
	c.signIn(name)
	c.wentWell()
	c = n.ssh(append(passwordArgs(t), "-b", near, name+"@"+here, "id -un")...)
	c.expect(`password: `)
	c.typeLine("anything")
	c.expect(`\nburst@contoso\.example\n`)
}

// Another address, another name and another time take a code; a lost role takes none, and lets nobody in.
func TestReuseEnds(t *testing.T) {
	const name, other = "ends@contoso.example", "burst@contoso.example"
	n := reuse(t, "10m")
	hire(t, name, loginRole)
	hire(t, other, loginRole)
	c := n.from(near, name, "true")
	c.signIn(name)
	c.wentWell()

	c = n.from(another, name)
	c.expect(`as ends@contoso\.example \(sshd, from 192\.0\.2\.8\)`)
	c.prompted()
	n.from(near, other).prompted()
	n.from(near, name, "true").wentWell()

	hire(t, name, "")
	before := requests("devicecode")
	c = n.from(near, name)
	c.expect(deniedSentence)
	if status, rest := c.end(); status != 255 || requests("devicecode") != before {
		t.Errorf("exit status %d, %d device codes, said %q", status, requests("devicecode")-before, rest)
	}
	hire(t, name, loginRole)
	n.from(near, name).prompted() // the denial has closed the window
}

// Every local user can connect to a colleague's name here, from the machine's own addresses: there is never a window for these,
// nor for sudo in a session from there.
func TestReuseNotFromThisMachine(t *testing.T) {
	const name = "root@contoso.example"
	n := reuse(t, "10m")
	hire(t, name, adminRole)
	n.shell(near, name).cmd.Process.Kill()
	for range 2 {
		c := ssh(t, name, "true")
		c.signIn(name)
		c.wentWell()
	}
	for range 2 {
		c := open(t, "ssh", sshArgs("-tt", name+"@"+here, "true")...)
		c.signIn(name)
		c.wentWell()
	}
	c := ssh(t, name)
	c.signIn(name)
	for range 2 {
		c.expect(`\$ `)
		c.typeLine("sudo -k id -u")
		c.signIn(name)
		c.expect(`\n0\n`)
	}
}

// Somebody else's browser is done with a code that this person has seen: who turns away then leaves no window to them.
func TestReuseNotAfterAnAbort(t *testing.T) {
	const name = "burst@contoso.example"
	n := reuse(t, "10m")
	hire(t, name, loginRole)
	c := n.from(near, name, "true")
	page, code := c.prompted()
	browse(t, page, code, name)
	eventually(t, "the worker is done", patience, func() bool {
		files, _ := filepath.Glob("/run/aad-login/pending/*")
		return len(files) == 1
	})
	c.typeLine("\x03")
	c.end()
	c = n.from(near, name, "true")
	c.signIn(name)
	c.wentWell()
	n.from(near, name, "true").wentWell()
}

// It is the door that opens a window: what the worker has left behind does not, when the conversation fails after all.
func TestReuseNeedsTheDoor(t *testing.T) {
	const name = "burst@contoso.example"
	reuse(t, "10m")
	hire(t, name, loginRole)
	for _, hangsUp := range []bool{true, false} {
		h := newHostFor(t, "sshd", name, "")
		if err := h.tx.SetItem(pam.Rhost, near); err != nil {
			t.Fatal(err)
		}
		h.prompt = func(code string) error {
			if err := entra.SignIn(code, name); err != nil {
				return err
			}
			eventually(t, "the worker is done", patience, func() bool {
				files, _ := filepath.Glob("/run/aad-login/pending/*")
				return len(files) > 0
			})
			if hangsUp {
				return errors.New("hung up")
			}
			return nil
		}
		err := h.tx.Authenticate(0)
		if errors.Is(err, pam.ErrConv) != hangsUp {
			t.Fatalf("hangs up %v: %v", hangsUp, err)
		}
		opened, _ := filepath.Glob("/run/aad-login/opened/*")
		if (len(opened) == 0) != hangsUp {
			t.Errorf("hangs up %v: opened %q", hangsUp, opened)
		}
	}
}

func TestReuseWindowLapses(t *testing.T) {
	const name = "burst@contoso.example"
	n := reuse(t, "1s")
	hire(t, name, loginRole)
	c := n.from(near, name, "true")
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
	n.from(near, name).prompted()
}

// sudo has a window of its own, for the address of the session it is typed in.
func TestReuseInSudo(t *testing.T) {
	const name = "root@contoso.example"
	n := reuse(t, "10m")
	hire(t, name, adminRole)
	localUser(t)
	c := n.shell(near, name)
	if notes(t) != 1 {
		t.Fatalf("%d notes of one session", notes(t))
	}
	c.typeLine("sudo -k id -u")
	c.signIn(name) // the window of sshd is not sudo's
	c.expect(`\n0\n.*\$ `)
	mark := syslog.mark()
	c.typeLine("sudo -k id -u")
	c.expect(`\n0\n.*\$ `)
	syslog.exactly(t, mark, 1, `pam_aad\(sudo:.* signed-in reason="reuse" .*reuse_attempt="[0-9a-f-]{36}" .*reuse_rhost="192\.0\.2\.7"`)
	c.typeLine("echo 0 >/proc/self/loginuid && echo forged; env SSH_CONNECTION='192.0.2.8 1 192.0.2.1 2' sudo -k id -u")
	c.expect(`(not permitted|denied)[^$]*\n0\n.*\$ `)
	// Somebody else inside this session is not its owner.
	c.typeLine("sudo -u local su - " + name + " -c id; true")
	c.expect(`Signing in to \S+ as root@contoso\.example \(su-l\)`)
	c.prompted()
	c.typeLine("\x03")

	second := n.shell(near, name)
	second.typeLine("sudo -k id -u; exit")
	second.expect(`\n0\n`)
	second.wentWell()

	far := n.shell(another, name)
	far.typeLine("sudo -k id -u; exit")
	far.prompted()
	far.cmd.Process.Kill()

	// What outlives its session has no address.
	third := n.shell(near, name)
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
	n := reuse(t, "10m")
	hire(t, name, adminRole)
	n.shell(near, name).cmd.Process.Kill()
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
	c := n.shell(near, name, "-p", port) // the first -p counts
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
