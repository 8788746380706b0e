// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// LocalPassword is the password of LocalUser.
const LocalPassword = "correct horse 1"

// LocalUser makes a user of this machine with a password and sudo, who has nothing to do with Entra
// ID.
func LocalUser(t *testing.T) {
	t.Helper()
	if _, status := Command(t, "", "getent", "passwd", "local"); status == 0 {
		return
	}
	Must(t, "useradd", "-m", "-s", "/bin/bash", "local")
	if out, status := Command(t, "local:"+LocalPassword+"\n", "chpasswd"); status != 0 {
		t.Fatal(out)
	}
	err := os.WriteFile("/etc/sudoers.d/local", []byte("local ALL=(ALL) ALL\n"), 0o440)
	if err != nil {
		t.Fatal(err)
	}
}

// ConsolePassword is the password of root, once there are Locals.
const ConsolePassword = "console 1"

// Locals are the users who must get in: root on the console, and a local user over SSH with a
// password or a key.
type Locals struct {
	KeyArgs []string // of ssh
	Seen    string   // the state of the machine in which they last did
}

// NewLocals gives root and the local user their passwords, and the local user a key.
func NewLocals(t *testing.T) *Locals {
	t.Helper()
	LocalUser(t)
	if out, status := Command(t, "root:"+ConsolePassword+"\n", "chpasswd"); status != 0 {
		t.Fatal(out)
	}
	known, _ := KeyArgs(t, "2236", "any")
	return &Locals{KeyArgs: known}
}

// GetIn logs all of them in. The machine's files decide, so GetIn skips a state that it has seen.
func (l *Locals) GetIn(t *testing.T, when string) {
	t.Helper()
	state := Wiring(t) + Must(t, "sh", "-c",
		"ls -l /lib/*/libnss_aad.so.2 /lib/*/security/pam_aad.so /etc/aad-login 2>&1; true")
	if state == l.Seen {
		return
	}
	l.Seen = state
	t.Run(when, func(t *testing.T) {
		console := Open(t, "/bin/login", "root")
		password := Open(t, "ssh",
			append(SSHArgs("-tt", "local@127.0.0.1"), "echo in as $(id -un)")...)
		public := Open(t, "ssh", append(l.KeyArgs, "local@127.0.0.1", "echo in as $(id -un)")...)
		for _, c := range []*Terminal{console, password} {
			secret := map[*Terminal]string{console: ConsolePassword, password: LocalPassword}[c]
			c.Expect(`[Pp]assword: `)
			c.TypeLine(secret)
		}
		public.Expect(`in as local\n`)
		password.Expect(`in as local\n`)
		console.Expect(`# `)
		console.TypeLine("echo in as $(id -un); exit")
		console.Expect(`in as root\n`)
		Must(t, "/usr/sbin/sshd", "-t") // for the next start
		// With -f it looks at the text, and not at the modes of others' files.
		Must(t, "visudo", "-cqf", "/etc/sudoers")
	})
}

// KilledAtEach runs a script of a package repeatedly. It kills the script before its first command
// that may change something, before its second and so on, until the script reaches its end. It
// calls then after each run.
func KilledAtEach(t *testing.T, script string, args []string, then func(what string)) {
	t.Helper()
	for n := range 100 {
		kill := fmt.Sprintf(`n=0 looks='^(for|sed|case|\[|grep|getent|stat|named_by|continue|entry=)'
			trap '[[ $BASH_COMMAND =~ $looks ]] || (( n++ != %d )) || kill -9 $$' DEBUG; . "$0"`, n)
		out, status := Command(t, "", "bash",
			append([]string{"-T", "-c", kill, script}, args...)...)
		if status > 0 {
			t.Fatalf("%s %v, killed at %d: exit status %d: %s", script, args, n, status, out)
		}
		if status == 0 {
			if n < 8 {
				t.Errorf("%s has %d commands", script, n)
			}
			return
		}
		then(fmt.Sprintf("%s killed at %d", filepath.Base(script), n))
	}
	t.Fatalf("%s never comes to its end", script)
}
