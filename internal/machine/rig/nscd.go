// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// KeyLogin makes a key that an sshd beside the name service accepts for every account, and returns
// a function that logs in with it.
func (n NSCD) KeyLogin(port string) func(name, command string) *Terminal {
	n.T.Helper()
	key, authorized := filepath.Join(n.T.TempDir(), "key"), "/run/authorized-"+port
	Must(n.T, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	Must(n.T, "install", "-m", "644", key+".pub", authorized)
	n.T.Cleanup(func() { os.Remove(authorized) })
	n.SSHD(port, "-o", "AuthorizedKeysFile="+authorized)
	return func(name, command string) *Terminal {
		n.T.Helper()
		with := []string{
			"-p", port, "-i", key, "-o", "PubkeyAuthentication=yes", "-o", "IdentitiesOnly=yes",
			"-o", "BatchMode=yes",
		}
		return Open(n.T, "ssh", append(with, SSHArgs(name+"@127.0.0.1", command)...)...)
	}
}

// Entry returns the name service's entry of a name.
func (n NSCD) Entry(name string) string {
	n.T.Helper()
	line, _ := n.Run("getent", "passwd", name)
	return line
}

// NSCD is the distribution's daemon in a mount namespace of its own. Only processes that are
// started there find its socket.
type NSCD struct {
	T   *testing.T
	PID string
}

// StartNSCD starts nscd with the configuration of its package, except for these settings of passwd
// and group.
func StartNSCD(t *testing.T, settings map[string]string) NSCD {
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
	t.Cleanup(func() { Kill(cmd) })
	n := NSCD{t, fmt.Sprint(cmd.Process.Pid)}
	Eventually(t, "nscd answers", Patience, func() bool {
		_, status := n.Run("nscd", "--statistics")
		return status == 0
	})
	return n
}

// Beside returns the arguments of nsenter that run a command where nscd's socket is.
func (n NSCD) Beside(command ...string) []string {
	return append([]string{"--target", n.PID, "--mount", "--root", "--wd=/"}, command...)
}

// Run runs a command where nscd's socket is.
func (n NSCD) Run(args ...string) (string, int) {
	n.T.Helper()
	return Command(n.T, "", "nsenter", n.Beside(args...)...)
}

// Ask runs a command whose own nsswitch.conf does not have our name service, so that only nscd can
// tell it about our accounts.
func (n NSCD) Ask(args ...string) (string, int) {
	n.T.Helper()
	return n.Run(append([]string{"unshare", "--mount", "sh", "-ec", `
		sed 's/ aad//' /etc/nsswitch.conf >/run/nscd/nsswitch.conf
		mount --bind /run/nscd/nsswitch.conf /etc/nsswitch.conf
		exec "$@"`, "sh"}, args...)...)
}

// SSHD starts an sshd that asks nscd, as on a machine where nscd runs.
func (n NSCD) SSHD(port string, more ...string) {
	n.T.Helper()
	log, err := os.Create("/tmp/sshd-" + port + ".log")
	if err != nil {
		n.T.Fatal(err)
	}
	defer log.Close()
	args := []string{"/usr/sbin/sshd", "-D", "-e", "-p", port, "-o", "ListenAddress=127.0.0.1"}
	cmd := exec.Command("nsenter", n.Beside(append(args, more...)...)...)
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		n.T.Fatal(err)
	}
	n.T.Cleanup(func() { Kill(cmd) })
	Eventually(n.T, "sshd listens", Patience, func() bool {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}
