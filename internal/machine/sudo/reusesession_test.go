// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sudo

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// sudo has a window of its own, for the address of its session.
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
	// Another user inside this session is not its owner.
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

	// A process that outlives its session has no address.
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

	// A person who has lost the role loses the window with the session's group.
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

// If somebody starts an sshd inside a session, all its connections share that session's id. So the
// id tells no address.
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

// notes counts the sessions whose address sudo can tell.
func notes(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/run/aad-login/sessions/*")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}
