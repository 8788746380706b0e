// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sudo

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/machine/rig"
)

// reuse sets sign_in.reuse_window for the length of a test. The test begins and ends without any
// window, and without the notes of other tests' sessions. Connections that may have a window come
// from a neighbour.
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

// An editor opens one connection with a browser, then ten at once and ten one after the other, and
// copies files.
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

// sshd's password authentication, too, lets in by a window, whatever is typed, because no code has
// to be shown.
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

// Another address, another name and another time need a code. Without the role there is no code,
// and nobody is let in.
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

// Every local user can connect to a colleague's name from the machine's own addresses. So these
// addresses never have a window, and neither has sudo in a session from there.
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

// Somebody else's browser completes a code that this person has seen. If the person turns away, no
// window is left to them.
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

// Only the door opens a window. If the conversation fails after all, the worker's file opens none.
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
