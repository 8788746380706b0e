// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func permitDoas(t *testing.T) {
	if err := os.WriteFile("/etc/doas.conf", []byte("permit local as root\npermit user@contoso.example as root\n"), 0o400); err != nil {
		t.Fatal(err)
	}
}

// commandOf makes a command line for somebody, who stands in it as USER.
func commandOf(words ...string) func(t *testing.T, user string) *terminal {
	return func(t *testing.T, user string) *terminal {
		args := slices.Clone(words)
		for i, word := range args {
			if word == "USER" {
				args[i] = user
			}
		}
		return open(t, args[0], args[1:]...)
	}
}

var (
	asDoas  = commandOf("runuser", "-u", "USER", "--", "doas", "id", "-u")
	asSu    = commandOf("runuser", "-u", "nobody", "--", "su", "USER", "-c", "true")
	asLogin = commandOf("login", "USER")
)

// asVlock is vlock, which asks for ENTER before it asks PAM.
func asVlock(t *testing.T, user string) *terminal {
	c := open(t, "runuser", "-u", user, "--", "vlock")
	c.expect(`\[ENTER\] to unlock`)
	c.typeLine("")
	return c
}

// typesPassword runs a program on a terminal and types the password. To whom it shows a code, leaves.
func typesPassword(begin func(t *testing.T, user string) *terminal) func(t *testing.T, user, password string) (bool, error) {
	return func(t *testing.T, user, password string) (bool, error) {
		c := begin(t, user)
		last := c.asks(`assword: |Press ENTER when ready\.|incorrect`)
		if strings.HasSuffix(last, "assword: ") {
			stop := c.keepTyping(password)
			last = c.asks(`(?i)failure|sorry|incorrect|assword: |\$ `) // vlock asks again; login has a shell
			stop()
		}
		if last == "$ " {
			c.typeLine("exit")
			c.end()
		}
		c.kill()
		<-c.done
		c.pty.Close() // there are only so many
		if last == "" && !c.cmd.ProcessState.Exited() {
			return false, fmt.Errorf("neither in nor refused: %q", c.all())
		}
		return c.cmd.ProcessState.Success(), nil
	}
}

// keepTyping types a line, and again: vlock and polkit's agent throw away what is typed between their prompt and the moment at which they
// read.
func (c *terminal) keepTyping(line string) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		again := time.NewTicker(5 * time.Second)
		defer again.Stop()
		for {
			c.pty.WriteString(line + "\n") // to nobody if the program has ended
			select {
			case <-end:
				return
			case <-again.C:
			}
		}
	}()
	return func() { close(end); <-ended }
}

// showsCode runs a program on a terminal and signs in with a browser.
func showsCode(service string, begin func(t *testing.T, user string) *terminal) func(t *testing.T, user string) {
	return func(t *testing.T, user string) {
		c := begin(t, user)
		c.expect(`Signing in to \S+ as ` + user + ` \(` + service + `\)\.`)
		page, code := c.prompted()
		browse(t, page, code, user)
		stop := c.keepTyping("")
		if service == "login" {
			c.expect(`\$ `)
			c.typeLine("exit")
		}
		status, rest := c.end()
		stop()
		if status != 0 {
			t.Errorf("exit status %d: %s", status, rest)
		}
	}
}
