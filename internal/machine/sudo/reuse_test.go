// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sudo

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/machine/rig"
)

// reuse sets sign_in.reuse_window for the length of a test, which begins and ends without any
// window, and without the notes of sessions that other tests have yet to end. Who may have one
// comes from a neighbour.
func reuse(t *testing.T, window string) rig.Neighbour {
	t.Helper()
	closeAll := func() { os.RemoveAll("/run/aad-login") }
	closeAll()
	t.Cleanup(closeAll)
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return []byte(s + "\n[sign_in]\nreuse_window = \"" + window + "\"\n")
	})
	return rig.NewNeighbour(t)
}

// What an editor does: one connection with a browser, then ten at once and ten one after the other,
// and files.
func TestReuseBurst(t *testing.T) {
	const name = "burst@contoso.example"
	n := reuse(t, "10m")
	rig.Hire(t, name, rig.LoginRole)
	before, asked := rig.Requests("devicecode"), rig.Requests("checkaccess")
	c := n.From(rig.Near, name, "id -un")
	c.SignIn(name)
	c.WentWell()
	mark := rig.Syslog.Mark()

	once := func() {
		if out := n.Silently("", "ssh", name+"@"+rig.Here, "id", "-un"); out != name+"\n" {
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
	n.Silently("", "scp", file, name+"@"+rig.Here+":copy") // by sftp
	n.Silently("get copy "+file+".back\n", "sftp", name+"@"+rig.Here)
	if text, err := os.ReadFile(file + ".back"); err != nil || string(text) != "text" {
		t.Errorf("%q, %v", text, err)
	}
	if n := rig.Requests("devicecode") - before; n != 1 {
		t.Errorf("%d device codes, want 1", n)
	}
	if n := rig.Requests("checkaccess") - asked; n != 23 {
		t.Errorf("Azure was asked %d times, want 23", n)
	}
	rig.Syslog.Exactly(t, mark, 22,
		`signed-in reason="reuse" account="burst@contoso\.example" .*role=.* reuse_attempt="[0-9a-f-]{36}" reuse_time="20\S+" reuse_rhost="192\.0\.2\.7"`)
}

// sshd's password authentication lets in by a window, too, with whatever was typed: there is
// nothing left to show.
func TestReuseByPasswordAuthentication(t *testing.T) {
	const name = "burst@contoso.example"
	n := reuse(t, "10m")
	rig.Hire(t, name, rig.LoginRole)
	c := n.From(rig.Near, name, "true")
	c.SignIn(name)
	c.WentWell()
	c = n.SSH(append(rig.PasswordArgs(t), "-b", rig.Near, name+"@"+rig.Here, "id -un")...)
	c.Expect(`password: `)
	c.TypeLine("anything")
	c.Expect(`\nburst@contoso\.example\n`)
}

// Another address, another name and another time take a code; a lost role takes none, and lets
// nobody in.
func TestReuseEnds(t *testing.T) {
	const name, other = "ends@contoso.example", "burst@contoso.example"
	n := reuse(t, "10m")
	rig.Hire(t, name, rig.LoginRole)
	rig.Hire(t, other, rig.LoginRole)
	c := n.From(rig.Near, name, "true")
	c.SignIn(name)
	c.WentWell()

	c = n.From(rig.Another, name)
	c.Expect(`as ends@contoso\.example \(sshd, from 192\.0\.2\.8\)`)
	c.Prompted()
	n.From(rig.Near, other).Prompted()
	n.From(rig.Near, name, "true").WentWell()

	rig.Hire(t, name, "")
	before := rig.Requests("devicecode")
	c = n.From(rig.Near, name)
	c.Expect(rig.DeniedSentence)
	if status, rest := c.End(); status != 255 || rig.Requests("devicecode") != before {
		t.Errorf("exit status %d, %d device codes, said %q", status,
			rig.Requests("devicecode")-before, rest)
	}
	rig.Hire(t, name, rig.LoginRole)
	n.From(rig.Near, name).Prompted() // the denial has closed the window
}

// Every local user can connect to a colleague's name here, from the machine's own addresses: there
// is never a window for these, nor for sudo in a session from there.
func TestReuseNotFromThisMachine(t *testing.T) {
	const name = "root@contoso.example"
	n := reuse(t, "10m")
	rig.Hire(t, name, rig.AdminRole)
	n.Shell(rig.Near, name).Cmd.Process.Kill()
	for range 2 {
		c := rig.SSH(t, name, "true")
		c.SignIn(name)
		c.WentWell()
	}
	for range 2 {
		c := rig.Open(t, "ssh", rig.SSHArgs("-tt", name+"@"+rig.Here, "true")...)
		c.SignIn(name)
		c.WentWell()
	}
	c := rig.SSH(t, name)
	c.SignIn(name)
	for range 2 {
		c.Expect(`\$ `)
		c.TypeLine("sudo -k id -u")
		c.SignIn(name)
		c.Expect(`\n0\n`)
	}
}

// Somebody else's browser is done with a code that this person has seen: who turns away then leaves
// no window to them.
func TestReuseNotAfterAnAbort(t *testing.T) {
	const name = "burst@contoso.example"
	n := reuse(t, "10m")
	rig.Hire(t, name, rig.LoginRole)
	c := n.From(rig.Near, name, "true")
	page, code := c.Prompted()
	rig.Browse(t, page, code, name)
	rig.Eventually(t, "the worker is done", rig.Patience, func() bool {
		files, _ := filepath.Glob("/run/aad-login/pending/*")
		return len(files) == 1
	})
	c.TypeLine("\x03")
	c.End()
	c = n.From(rig.Near, name, "true")
	c.SignIn(name)
	c.WentWell()
	n.From(rig.Near, name, "true").WentWell()
}

// It is the door that opens a window: what the worker has left behind does not, when the
// conversation fails after all.
func TestReuseNeedsTheDoor(t *testing.T) {
	const name = "burst@contoso.example"
	reuse(t, "10m")
	rig.Hire(t, name, rig.LoginRole)
	for _, hangsUp := range []bool{true, false} {
		h := rig.NewHostFor(t, "sshd", name, "")
		if err := h.Tx.SetItem(pam.Rhost, rig.Near); err != nil {
			t.Fatal(err)
		}
		h.Prompt = func(code string) error {
			if err := rig.Entra.SignIn(code, name); err != nil {
				return err
			}
			rig.Eventually(t, "the worker is done", rig.Patience, func() bool {
				files, _ := filepath.Glob("/run/aad-login/pending/*")
				return len(files) > 0
			})
			if hangsUp {
				return errors.New("hung up")
			}
			return nil
		}
		err := h.Tx.Authenticate(0)
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
	rig.Hire(t, name, rig.LoginRole)
	c := n.From(rig.Near, name, "true")
	c.SignIn(name)
	c.WentWell()
	files, err := filepath.Glob("/run/aad-login/windows/*")
	if err != nil || len(files) != 1 {
		t.Fatalf("windows %q, %v", files, err)
	}
	opened, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	rig.Eventually(t, "the window is over", rig.Patience,
		func() bool { return time.Since(opened.ModTime()) > 2*time.Second })
	n.From(rig.Near, name).Prompted()
}

// sudo has a window of its own, for the address of the session it is typed in.
func TestReuseInSudo(t *testing.T) {
	const name = "root@contoso.example"
	n := reuse(t, "10m")
	rig.Hire(t, name, rig.AdminRole)
	rig.LocalUser(t)
	c := n.Shell(rig.Near, name)
	if notes(t) != 1 {
		t.Fatalf("%d notes of one session", notes(t))
	}
	c.TypeLine("sudo -k id -u")
	c.SignIn(name) // the window of sshd is not sudo's
	c.Expect(`\n0\n.*\$ `)
	mark := rig.Syslog.Mark()
	c.TypeLine("sudo -k id -u")
	c.Expect(`\n0\n.*\$ `)
	rig.Syslog.Exactly(t, mark, 1,
		`pam_aad\(sudo:.* signed-in reason="reuse" .*reuse_attempt="[0-9a-f-]{36}" .*reuse_rhost="192\.0\.2\.7"`)
	c.TypeLine("echo 0 >/proc/self/loginuid && echo forged; env SSH_CONNECTION='192.0.2.8 1 " +
		"192.0.2.1 2' sudo -k id -u")
	c.Expect(`(not permitted|denied)[^$]*\n0\n.*\$ `)
	// Somebody else inside this session is not its owner.
	c.TypeLine("sudo -u local su - " + name + " -c id; true")
	c.Expect(`Signing in to \S+ as root@contoso\.example \(su-l\)`)
	c.Prompted()
	c.TypeLine("\x03")

	second := n.Shell(rig.Near, name)
	second.TypeLine("sudo -k id -u; exit")
	second.Expect(`\n0\n`)
	second.WentWell()

	far := n.Shell(rig.Another, name)
	far.TypeLine("sudo -k id -u; exit")
	far.Prompted()
	far.Cmd.Process.Kill()

	// What outlives its session has no address.
	third := n.Shell(rig.Near, name)
	third.TypeLine("rm -f go went; mkfifo go; try() { sudo -k -S id -u </dev/null; echo status " +
		"$?; }; (trap '' HUP; read x <go; try >went 2>&1) & try")
	third.Expect(`\n0\nstatus 0\n`)
	third.TypeLine("exit")
	third.End()
	rig.Eventually(t, "only the first session is left", rig.Patience,
		func() bool { return notes(t) == 1 })
	home := "/home/" + name
	if err := os.WriteFile(home+"/go", []byte("\n"), 0); err != nil {
		t.Fatal(err)
	}
	said := ""
	rig.Eventually(t, "sudo has ended", rig.Patience, func() bool {
		text, _ := os.ReadFile(home + "/went")
		said = string(text)
		return strings.Contains(said, "status")
	})
	if !strings.Contains(said, "enter the code") || !strings.Contains(said, "status 1") {
		t.Errorf("sudo outside its session said %q", said)
	}

	// Who has lost the role loses the window with the session's group.
	rig.Hire(t, name, rig.LoginRole)
	before := rig.Requests("devicecode")
	c.TypeLine("")
	c.Expect(`\$ `)
	c.TypeLine("sudo -k id -u")
	c.Expect(`root@contoso\.example is no longer an administrator of this machine`)
	if n := rig.Requests("devicecode") - before; n != 0 {
		t.Errorf("%d device codes", n)
	}
}

// All who come in through an sshd that somebody started inside a session share that session's id:
// it tells no address.
func TestReuseInSharedSession(t *testing.T) {
	const port, name = "2226", "root@contoso.example"
	n := reuse(t, "10m")
	rig.Hire(t, name, rig.AdminRole)
	n.Shell(rig.Near, name).Cmd.Process.Kill()
	uid := strings.TrimSpace(rig.Must(t, "id", "-u", name))
	var sshd *exec.Cmd
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread has a session from here on
		err := os.WriteFile("/proc/thread-self/loginuid", []byte(uid), 0)
		if err == nil {
			sshd, err = rig.StartSSHD(port)
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
	c := n.Shell(rig.Near, name, "-p", port) // the first -p counts
	rig.Eventually(t, "no session has an address", rig.Patience,
		func() bool { return notes(t) == 0 })
	c.TypeLine("cat /proc/self/loginuid; exit")
	c.Expect(`\n` + uid)
	c.End()
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
