// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/account"
)

// nscd is the distribution's daemon in a mount namespace of its own: only who is started there finds its socket.
type nscd struct {
	t   *testing.T
	pid string
}

// startNSCD starts it with the configuration that its package brought, but for these settings of passwd and group.
func startNSCD(t *testing.T, settings map[string]string) nscd {
	t.Helper()
	conf, err := os.ReadFile("/etc/nscd.conf")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range settings {
		re := regexp.MustCompile(`(?m)^(\s*` + key + `\s+(passwd|group)\s+)\S+`)
		conf = re.ReplaceAll(conf, []byte("${1}"+value))
	}
	file := filepath.Join(t.TempDir(), "nscd.conf")
	if err := os.WriteFile(file, conf, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("/run/nscd", 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--mount", "sh", "-ec", `
		mount -t tmpfs -o mode=0755 nscd /run/nscd
		mount -t tmpfs -o mode=0755 nscd /var/cache/nscd
		mount --bind "$0" /etc/nscd.conf
		exec nscd --foreground`, file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(cmd) })
	n := nscd{t, fmt.Sprint(cmd.Process.Pid)}
	eventually(t, "nscd answers", patience, func() bool {
		_, status := n.run("nscd", "--statistics")
		return status == 0
	})
	return n
}

func kill(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// beside is how to start a command where nscd's socket is.
func (n nscd) beside(command ...string) []string {
	return append([]string{"--target", n.pid, "--mount", "--root", "--wd=/"}, command...)
}

func (n nscd) run(args ...string) (string, int) {
	n.t.Helper()
	return command(n.t, "", "nsenter", n.beside(args...)...)
}

// ask runs a command whose own nsswitch.conf knows nothing of us: what it hears of us it hears from nscd.
func (n nscd) ask(args ...string) (string, int) {
	n.t.Helper()
	return n.run(append([]string{"unshare", "--mount", "sh", "-ec", `
		sed 's/ aad//' /etc/nsswitch.conf >/run/nscd/nsswitch.conf
		mount --bind /run/nscd/nsswitch.conf /etc/nsswitch.conf
		exec "$@"`, "sh"}, args...)...)
}

// sshd starts one that asks nscd, as it would on a machine where nscd runs.
func (n nscd) sshd(port string, more ...string) {
	n.t.Helper()
	log, err := os.Create("/tmp/sshd-" + port + ".log")
	if err != nil {
		n.t.Fatal(err)
	}
	defer log.Close()
	args := append([]string{"/usr/sbin/sshd", "-D", "-e", "-p", port, "-o", "ListenAddress=127.0.0.1"}, more...)
	cmd := exec.Command("nsenter", n.beside(args...)...)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { kill(cmd) })
	eventually(n.t, "sshd listens", patience, func() bool {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func TestNSCDAnswersAsWeDo(t *testing.T) {
	const name = "admin@contoso.example"
	stored(t, name)
	uid := strings.TrimSpace(must(t, "id", "-u", name))
	n := startNSCD(t, nil)
	for _, query := range []string{
		"passwd " + name, "passwd " + uid, "group " + name, "group " + uid,
		"group aad_users", "group aad_admins", "group 1879048192", "group 1879048193",
	} {
		args := append([]string{"getent"}, strings.Fields(query)...)
		want := must(t, args[0], args[1:]...)
		for range 2 { // the second from what it remembers
			if got, status := n.ask(args...); status != 0 || got != want {
				t.Errorf("%s: %q, exit status %d; without nscd %q", query, got, status, want)
			}
		}
	}
	// It asks with no primary group, and without that nobody knows whether a local account of this name is meant.
	if got, status := n.ask("id", "-G", name); status != 0 || got != uid+"\n" {
		t.Errorf("groups %q, exit status %d", got, status)
	}
}

// A store that is replaced under nscd is what nscd answers from next: when it is told to forget, or by itself in time.
func TestNSCDFollowsTheStore(t *testing.T) {
	const name = "renewed@contoso.example"
	put := func(shell string) {
		err := account.Store{Dir: filepath.Dir(storeFile)}.Update(func(e *account.Edit) error {
			return e.Put(account.Account{Name: name, UPN: name, UID: 300001, Gecos: name, Home: "/tmp", Shell: shell})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	says := func(n nscd) string {
		out, _ := n.ask("getent", "passwd", name)
		return strings.TrimSpace(out[strings.LastIndex(out, ":")+1:])
	}
	told := startNSCD(t, map[string]string{"positive-time-to-live": "3600", "negative-time-to-live": "3600"})
	timed := startNSCD(t, map[string]string{"positive-time-to-live": "1", "negative-time-to-live": "1"})
	for _, n := range []nscd{told, timed} {
		if got := says(n); got != "" {
			t.Fatalf("known too early: %s", got)
		}
	}
	for _, shell := range []string{"/bin/sh", "/bin/bash"} {
		put(shell)
		// Told once a second has passed, if it had to copy the store and so cannot see that it has been replaced.
		eventually(t, "nscd forgets when told", patience, func() bool {
			if out, status := told.run("nscd", "--invalidate=passwd"); status != 0 {
				t.Fatal(out)
			}
			return says(told) == shell
		})
	}
	eventually(t, "nscd forgets by itself", patience, func() bool { return says(timed) == "/bin/bash" })
}

// nscd is not one of those that are told about an account before it has signed in, and so nobody is whom it answers for:
// root, a program called sshd, sshd itself.
func TestNSCDDoesNotHearOfNeverSeenNames(t *testing.T) {
	const port, name = "2224", "behind@contoso.example"
	employ(t, name)
	n := startNSCD(t, nil)
	if err := os.Mkdir("/run/called", 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll("/run/called")
	must(t, "cp", "/usr/bin/getent", "/run/called/sshd")
	for _, program := range []string{"getent", "/run/called/sshd"} {
		if out, status := n.run(program, "passwd", name); status != 2 {
			t.Errorf("%s: exit status %d, said %q", program, status, out)
		}
	}
	n.sshd(port)
	mark, codes := syslog.mark(), requests("devicecode")
	c := open(t, "ssh", append([]string{"-p", port, "-tt"}, sshArgs(name+"@127.0.0.1", "id -un")...)...) // the first -p counts
	c.expect(`Tell the administrator of this machine: the name service of this machine does not know its sign-in accounts\.`)
	if status, rest := c.end(); status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	syslog.settle(t)
	if got := syslog.find(mark, name); len(got) == 0 {
		t.Error("the log says nothing of it")
	}
	if n := requests("devicecode") - codes; n != 0 {
		t.Errorf("%d device codes for a sign-in that cannot succeed", n)
	}
}

// What README.md has people with nscd write into nscd.conf makes a first sign-in what it is without nscd.
func TestNSCDWithoutPasswdAndGroup(t *testing.T) {
	const port, name = "2225", "despite@contoso.example"
	employ(t, name)
	n := startNSCD(t, map[string]string{"enable-cache": "no"})
	n.sshd(port, "-o", "AllowGroups=aad_users")
	c := open(t, "ssh", append([]string{"-p", port, "-tt"}, sshArgs(name+"@127.0.0.1", "id -Gn")...)...)
	c.signIn(name)
	c.expect(`\ndespite@contoso\.example aad_users\n`)
	if status, rest := c.end(); status != 0 {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	if out, status := n.run("getent", "passwd", "unseen@contoso.example"); status != 2 {
		t.Errorf("getent knows a never-seen name: %s", out)
	}
}
