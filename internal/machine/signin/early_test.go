// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// A person presses ENTER before the browser is done, with a client that gives up a silent server
// after 18 s. The same page and code are shown again in time, repeatedly, until the browser is
// done.
func TestEarlyEnter(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	c := rig.Open(t, "ssh", rig.SSHArgs("-o", "ServerAliveInterval=6",
		"-o", "ServerAliveCountMax=3", "-tt", user+"@127.0.0.1", "id -un")...)
	page, code := c.Prompted()
	rig.Polled(t)
	rig.Polled(t) // an ENTER sooner than any person's would not be asked for again
	c.TypeLine("")
	c.Expect(`Still waiting for the browser\. \n`)
	if again, same := c.Prompted(); again != page || same != code {
		t.Errorf("asked again with %s and %s, not %s and %s", again, same, page, code)
	}
	rig.Browse(t, page, code, user)
	c.TypeLine("")
	c.Expect(`\n` + user + `\n`)
}

// A caller's prompt replaces that of sudo, but not the page and the code. They are on the terminal,
// and in no file.
func TestSudoWithAPromptOfItsOwn(t *testing.T) {
	const admin = "admin@contoso.example"
	rig.Stored(t, admin)
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	out, complaints := filepath.Join(dir, "out"), filepath.Join(dir, "err")
	for _, line := range []string{
		`sudo -k -p OWN: id -un`,
		`SUDO_PROMPT=OWN: sudo -k id -un`,
		`sudo -k -p OWN: id -un >` + out + ` 2>` + complaints,
		`sudo -k -p OWN: id -un 2>` + complaints + ` </dev/null | cat >` + out,
	} {
		os.Remove(out)
		os.Remove(complaints)
		c := rig.Open(t, "setpriv", "--reuid="+admin, "--regid="+admin, "--init-groups",
			"--reset-env", "sh", "-c", line+"; echo status $?")
		m := c.Expect(`open the page (\S+) and enter the code ([A-Z0-9]{9}) to authenticate\.\s`)
		rig.Browse(t, m[1], m[2], admin)
		c.TypeLine("")
		c.Expect(`status 0\n`)
		for _, file := range []string{out, complaints} {
			if text, _ := os.ReadFile(file); strings.Contains(string(text), m[2]) {
				t.Errorf("%s: the code is in a file: %q", line, text)
			}
		}
	}
}

// A misspelt name is told the right spelling, and not asked for a password. Local names are asked
// as usual.
func TestNameInAnAddress(t *testing.T) {
	for _, name := range []string{"user%40contoso.example", "user@contoso.example@vm"} {
		out, status := rig.Command(t, "", "ssh",
			rig.SSHArgs("-o", "LogLevel=INFO", "-l", name, "127.0.0.1", "id")...)
		if status != 255 || !strings.Contains(out, "without %40: NAME@DOMAIN") ||
			strings.Contains(out, "assword:") {
			t.Errorf("%s: exit %d: %s", name, status, out)
		}
	}
}
