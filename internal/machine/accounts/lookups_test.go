// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"os"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// A rule about processes, as Azure's guest proxy agent applies it, sees a sign-in as root with the
// executable of its host, whoever started the host.
func TestRulesAboutPrograms(t *testing.T) {
	const name = "user@contoso.example"
	rig.Stored(t, name)
	rules := func(callers ...emulator.Caller) {
		// The machine's own data has been asked for already.
		if err := os.RemoveAll("/var/cache/aad-login"); err != nil {
			t.Fatal(err)
		}
		err := rig.Entra.Update(func(d *emulator.Directory) {
			d.Machine.Callers = callers
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { rules() })
	su := func() *rig.Terminal {
		return rig.Open(t, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "su",
			name, "-c", "echo let in")
	}
	rules(emulator.Caller{User: "root", Exe: "/usr/sbin/aadctl"})
	for exe, start := range map[string]func() *rig.Terminal{
		"/usr/sbin/sshd": func() *rig.Terminal { return rig.SSH(t, name, "echo let in") },
		"/usr/bin/su":    su,
	} {
		mark := rig.Syslog.Mark()
		c := start()
		c.Expect(`a rule forbids this program to ask the metadata service`)
		c.End()
		rig.Syslog.Exactly(t, mark, 1,
			`failed reason="metadata-forbidden" .* process_user="root" process_name="`+
				exe[strings.LastIndex(exe, "/")+1:]+`" process_exe="`+exe+`" fix="let root `)
	}
	rules(emulator.Caller{User: "root", Exe: "/usr/bin/su"},
		emulator.Caller{User: "root", Process: "sshd"})
	for _, c := range []*rig.Terminal{su(), rig.SSH(t, name, "echo let in")} {
		c.SignIn(name)
		c.Expect(`\nlet in\n`)
		c.End()
	}
}
