// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// One connection may try several methods, and sshd may demand two.

// key makes a key that an sshd on port accepts, which asks for the given methods, and one that it does not know.
func key(t *testing.T, port, methods string) (known, unknown []string) {
	t.Helper()
	dir := t.TempDir()
	must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "known"))
	must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "unknown"))
	public, err := os.ReadFile(filepath.Join(dir, "known.pub"))
	if err != nil {
		t.Fatal(err)
	}
	authorized := "/run/authorized-" + port // nobody but root may write in any directory above it
	if err := os.WriteFile(authorized, public, 0o644); err != nil {
		t.Fatal(err)
	}
	sshd, err := startSSHD(port, "-o", "AuthorizedKeysFile="+authorized, "-o", "AuthenticationMethods="+methods,
		"-o", "KbdInteractiveAuthentication=yes") // sshd looks beforehand, and not into the package's Match blocks
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sshd.Process.Kill()
		sshd.Wait()
		os.Remove(authorized)
	})
	with := func(name string) []string { // what comes first counts
		return append([]string{"-p", port, "-o", "PubkeyAuthentication=yes", "-i", filepath.Join(dir, name), "-o", "IdentitiesOnly=yes",
			"-o", "NumberOfPasswordPrompts=1"}, sshArgs()...)
	}
	return with("known"), with("unknown")
}

const whoAmI = `\nuser@contoso\.example\n`

// An account without a password is not asked for one. It must not be: after the refusal libpam's frozen chain (pam_setcred(3) goes
// the way that the last authentication of the same handle went) has sshd close the connection of whoever then signs in.
func TestSeveralMethodsOnOneConnection(t *testing.T) {
	const user, at = "user@contoso.example", "user@contoso.example@127.0.0.1"
	stored(t, user)
	_, unknown := key(t, "2234", "any")
	for name, first := range map[string][]string{
		"password":         {"-o", "PreferredAuthentications=password,keyboard-interactive"},
		"key":              {"-o", "PreferredAuthentications=publickey,keyboard-interactive"},
		"key and password": {"-o", "PreferredAuthentications=publickey,password,keyboard-interactive"},
	} {
		t.Run(name, func(t *testing.T) {
			c := open(t, "ssh", append(append(first, unknown...), at, "id -un")...)
			c.signIn(user)
			c.expect(whoAmI)
			if strings.Contains(c.all(), "assword:") {
				t.Error("asked for a password")
			}
		})
	}
}

func TestKeyAndBrowser(t *testing.T) {
	const user, at = "user@contoso.example", "user@contoso.example@127.0.0.1"
	stored(t, user)
	known, unknown := key(t, "2235", "publickey,keyboard-interactive")
	c := open(t, "ssh", append(known, at, "id -un")...)
	c.signIn(user)
	c.expect(whoAmI)
	c.end()

	before := requests("devicecode")
	c = open(t, "ssh", append(unknown, at, "id -un")...)
	c.expect(`Permission denied`)
	if status, _ := c.end(); status != 255 || requests("devicecode") != before {
		t.Errorf("without the key: exit status %d, %d device codes", status, requests("devicecode")-before)
	}

	revoke(t, user)
	c = open(t, "ssh", append(known, at, "id -un")...)
	c.signIn(user)
	c.expect("Access denied:  to sign-in")
	c.cmd.Process.Kill()
	if _, rest := c.end(); strings.Contains(rest, user+"\n") {
		t.Errorf("without a role: %q", rest)
	}
}
