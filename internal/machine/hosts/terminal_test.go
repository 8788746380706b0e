// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

func permitDoas(t *testing.T) {
	err := os.WriteFile("/etc/doas.conf",
		[]byte("permit local as root\npermit user@contoso.example as root\n"), 0o400)
	if err != nil {
		t.Fatal(err)
	}
}

// commandOf returns a command line for a user. USER stands for the name.
func commandOf(words ...string) func(t *testing.T, user string) *rig.Terminal {
	return func(t *testing.T, user string) *rig.Terminal {
		args := slices.Clone(words)
		for i, word := range args {
			if word == "USER" {
				args[i] = user
			}
		}
		return rig.Open(t, args[0], args[1:]...)
	}
}

var (
	asDoas  = commandOf("runuser", "-u", "USER", "--", "doas", "id", "-u")
	asSu    = commandOf("runuser", "-u", "nobody", "--", "su", "USER", "-c", "true")
	asLogin = commandOf("login", "USER")
)

// asVlock runs vlock, which asks for ENTER before it asks PAM.
func asVlock(t *testing.T, user string) *rig.Terminal {
	c := rig.Open(t, "runuser", "-u", user, "--", "vlock")
	c.Expect(`\[ENTER\] to unlock`)
	c.TypeLine("")
	return c
}

// typesPassword runs a program on a terminal and types the password. It leaves if it sees a code.
func typesPassword(
	begin func(t *testing.T, user string) *rig.Terminal,
) func(t *testing.T, user, password string) (bool, error) {
	return func(t *testing.T, user, password string) (bool, error) {
		c := begin(t, user)
		last := c.Asks(`assword: |Press ENTER when ready\.|incorrect`)
		if strings.HasSuffix(last, "assword: ") {
			stop := c.KeepTyping(password)
			// vlock asks again. login has a shell.
			last = c.Asks(`(?i)failure|sorry|incorrect|assword: |\$ `)
			stop()
		}
		if last == "$ " {
			c.TypeLine("exit")
			c.End()
		}
		c.Kill()
		<-c.Done
		c.PTY.Close() // there are only so many
		if last == "" && !c.Cmd.ProcessState.Exited() {
			return false, fmt.Errorf("neither in nor refused: %q", c.All())
		}
		return c.Cmd.ProcessState.Success(), nil
	}
}

// showsCode runs a program on a terminal and signs in with a browser.
func showsCode(
	service string, begin func(t *testing.T, user string) *rig.Terminal,
) func(t *testing.T, user string) {
	return func(t *testing.T, user string) {
		c := begin(t, user)
		c.Expect(`Signing in to \S+ as ` + user + ` \(` + service + `\)\.`)
		page, code := c.Prompted()
		rig.Browse(t, page, code, user)
		stop := c.KeepTyping("")
		if service == "login" {
			c.Expect(`\$ `)
			c.TypeLine("exit")
		}
		status, rest := c.End()
		stop()
		if status != 0 {
			t.Errorf("exit status %d: %s", status, rest)
		}
	}
}
