// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// KeyArgs starts an sshd on port that asks for the given methods. It returns the arguments of ssh
// for a key that the sshd accepts, and for one that it does not know.
func KeyArgs(t *testing.T, port, methods string) (known, unknown []string) {
	t.Helper()
	dir := t.TempDir()
	Must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "known"))
	Must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "unknown"))
	public, err := os.ReadFile(filepath.Join(dir, "known.pub"))
	if err != nil {
		t.Fatal(err)
	}
	authorized := "/run/authorized-" + port // nobody but root may write in any directory above it
	if err := os.WriteFile(authorized, public, 0o644); err != nil {
		t.Fatal(err)
	}
	// sshd looks at KbdInteractiveAuthentication before it looks into the package's Match blocks.
	sshd, err := StartSSHD(port, "-o", "AuthorizedKeysFile="+authorized,
		"-o", "AuthenticationMethods="+methods, "-o", "KbdInteractiveAuthentication=yes")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sshd.Process.Kill()
		sshd.Wait()
		os.Remove(authorized)
	})
	with := func(name string) []string { // what comes first counts
		args := []string{
			"-p", port, "-o", "PubkeyAuthentication=yes", "-i", filepath.Join(dir, name),
			"-o", "IdentitiesOnly=yes", "-o", "NumberOfPasswordPrompts=1",
		}
		return append(args, SSHArgs()...)
	}
	return with("known"), with("unknown")
}

// StartSSHD runs the distribution's sshd with the package's configuration and more options.
func StartSSHD(port string, more ...string) (*exec.Cmd, error) {
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		return nil, err
	}
	args := []string{
		"-D", "-e", "-p", port, "-o", "ListenAddress=0.0.0.0", "-o", "MaxStartups=100",
	}
	// The package compares the PID file of the machine's own sshd with the age of its files.
	args = append(append(args, more...), "-o", "PidFile=none")
	// OpenSSH 9.8 and later stop answering an address that fails to sign in as often as in these
	// tests.
	patient := "PerSourcePenalties=no"
	if exec.Command("/usr/sbin/sshd", "-t", "-o", patient).Run() == nil {
		args = append(args, "-o", patient)
	}
	cmd := exec.Command("/usr/sbin/sshd", args...)
	log, err := os.Create("/tmp/sshd-" + port + ".log")
	if err != nil {
		return nil, err
	}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for range 1000 {
		if c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second); err == nil {
			c.Close()
			return cmd, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, fmt.Errorf("sshd does not listen; see %s", log.Name())
}

// SSHArgs returns the arguments of ssh for a person whose known_hosts is empty.
func SSHArgs(more ...string) []string {
	args := []string{
		"-F", "none", "-o", "Port=" + SSHPort, "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "PubkeyAuthentication=no",
	}
	return append(args, more...)
}

// SSH runs "ssh NAME@host [COMMAND]" with a terminal at both ends.
func SSH(t *testing.T, name string, command ...string) *Terminal {
	t.Helper()
	return Open(t, "ssh", append(SSHArgs("-tt", name+"@127.0.0.1"), command...)...)
}

// PromptPattern matches a prompt with its page and its code.
const PromptPattern = `To sign in, use a web browser to open the page (\S+) and enter the code ([A-Z0-9]{9}) to authenticate\.\s(?:\[[^\n]*\] )?Press ENTER when ready\.`

// Prompted waits for a device code prompt.
func (c *Terminal) Prompted() (page, code string) {
	c.T.Helper()
	m := c.Expect(PromptPattern)
	return m[1], m[2]
}

// SignIn completes a prompt: it signs in with the browser, then presses ENTER.
func (c *Terminal) SignIn(as string) {
	c.T.Helper()
	page, code := c.Prompted()
	Browse(c.T, page, code, as)
	c.TypeLine("")
}

// KeyPair is a key for public-key logins.
type KeyPair struct{ File, Public string }

// NewKeyPair makes a key pair for the length of a test.
func NewKeyPair(t *testing.T) KeyPair {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	Must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file)
	return KeyPair{file, Must(t, "cat", file+".pub")}
}

// Args returns the arguments of ssh that use the key.
func (k KeyPair) Args(more ...string) []string {
	args := []string{"-o", "PubkeyAuthentication=yes", "-o", "IdentitiesOnly=yes", "-i", k.File}
	return append(args, more...)
}

// DeniedSentence is the preview's sentence, word for word, because users and runbooks know it.
const DeniedSentence = "Access denied:  to sign-in you be assigned a role with action " +
	"'Microsoft.Compute/virtualMachines/login/action', for example 'Virtual Machine User Login'"

// PasswordArgs starts an sshd with password authentication, and returns the arguments of ssh that
// connect to it.
func PasswordArgs(t *testing.T) []string {
	t.Helper()
	plain := filepath.Join(t.TempDir(), "sshd_config")
	if err := os.WriteFile(plain, []byte("UsePAM yes\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sshd, err := StartSSHD("2236", "-f", plain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sshd.Process.Kill()
		sshd.Wait()
	})
	return append([]string{"-p", "2236"}, SSHArgs("-o", "PreferredAuthentications=password")...)
}

// SSHDProcesses counts the processes whose program is sshd's: the listener, the connections, the
// PAM children, and our workers, which are forked from those.
func SSHDProcesses(t *testing.T) int { return len(PIDs(t, "sshd")) }

// Polled waits until a worker polls for its token again.
func Polled(t *testing.T) {
	t.Helper()
	before := Requests("token")
	err := Entra.Await(t.Context(), func() bool { return Requests("token") > before })
	if err != nil {
		t.Fatal(err)
	}
}
