// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestBootedPrograms walks through what asks PAM only where systemd runs, and through sudo-rs, run by the script "hosts".
func TestBootedPrograms(t *testing.T) {
	if releaseRoot() == "" {
		t.Skip("it takes a root with those programs; run: make hosts")
	}
	v := visit{release: newRelease(t), locals: newKeyPair(t)}
	v.settleIn(t)
	v.must(t, "usermod", "--append", "--groups", "sudo", "local")
	works := v.ownAgentWorks(t)
	v.install(t)
	v.setup(t)
	v.administrator(t)
	v.write(t, "/etc/polkit-1/rules.d/40-entra.rules", adminRule, 0o644)
	for _, step := range []struct {
		name string
		do   func(*visit, *testing.T)
	}{
		{"unit", (*visit).unit},
		{"systemd-run", (*visit).systemdRun},
		{"linger", (*visit).linger},
		{"pkexec", func(v *visit, t *testing.T) {
			if !works {
				t.Skip("the agent in this pkexec lets nobody in, without the package either")
			}
			v.elevated(t, "pkexec id -u")
		}},
		{"pkexec with pkttyagent", func(v *visit, t *testing.T) { v.elevated(t, pkexecWithAgent) }},
		{"run0", func(v *visit, t *testing.T) { v.elevated(t, "run0 id -u") }},
		{"sudo-rs", (*visit).sudoRS},
	} {
		t.Run(step.name, func(t *testing.T) { v.console.t = t; step.do(&v, t) })
	}
	v.console.t = t
	versions := v.must(t, "dpkg-query", "-W", "-f", "${Package} ${Version}, ", "systemd", "polkitd", "sudo-rs", "sudo", "openssh-server")
	fmt.Fprintln(os.Stdout, strings.TrimSuffix(versions, ", "))
	v.off(t, "poweroff")
}

// adminRule is that of docs/programs.md. Without it polkit takes nobody of ours for an administrator.
const adminRule = `polkit.addAdminRule(function(action, subject) { return ["unix-group:aad_admins", "unix-group:sudo"]; });` + "\n"

// unit is a service with User=, which asks no PAM, and one with PAMName= besides, whose account phase is asked.
func (v *visit) unit(t *testing.T) {
	v.write(t, "/etc/systemd/system/ours.service", "[Service]\nType=oneshot\nUser="+admin+"\nExecStart=/usr/bin/id -un\n", 0o644)
	v.must(t, "systemctl", "start", "ours.service")
	v.write(t, "/etc/systemd/system/ours.service", "[Service]\nType=oneshot\nUser="+admin+"\nPAMName=login\nExecStart=/usr/bin/id -un\n", 0o644)
	v.must(t, "systemctl", "daemon-reload")
	v.must(t, "systemctl", "start", "ours.service")
	if said := v.log(t, `authorized .*service="login"`); !strings.Contains(said, admin) {
		t.Errorf("log: %q", said)
	}
}

func (v *visit) systemdRun(t *testing.T) {
	if out := v.must(t, "systemd-run", "--quiet", "--pipe", "--wait", "--uid="+admin, "id", "-un"); out != admin+"\n" {
		t.Errorf("said %q", out)
	}
}

func (v *visit) linger(t *testing.T) {
	v.must(t, "loginctl", "enable-linger", admin)
	unit := "user@" + strings.Split(v.first, ":")[2] + ".service"
	eventually(t, unit+" runs", patience, func() bool {
		_, status := v.command(t, "systemctl", "is-active", unit)
		return status == 0
	})
	if said := v.log(t, `authorized .*service="systemd-user"`); !strings.Contains(said, admin) {
		t.Errorf("log: %q", said)
	}
	v.must(t, "loginctl", "disable-linger", admin)
}

// pkexecWithAgent waits until the agent has told that it is there, by closing its descriptor.
const pkexecWithAgent = "mkfifo f; pkttyagent --process $$ --notify-fd 3 3>f & cat f; rm f; pkexec --disable-internal-agent id -u; kill $!"

// ownAgentWorks is asked before the package is there. The pkexec of polkit 128 asks for the password itself, as root; the helper is a
// service by then, and looks among root's dialogues for the one that it is to end.
func (v *visit) ownAgentWorks(t *testing.T) bool {
	t.Helper()
	c := v.sshWith(t, v.locals.args(), "local", "pkexec id -u")
	c.expect(`[Pp]assword: `)
	stop := c.keepTyping(localPassword)
	defer stop()
	return c.expect(`AUTHENTICATION (COMPLETE|FAILED)`)[1] == "COMPLETE"
}

// elevatedAs0 is what follows: the agent's word, in colour, and that of id.
const elevatedAs0 = `AUTHENTICATION COMPLETE [^\n]*\n(?:\x1b\S*)?0\n`

// elevated is a program that has polkit's agent on the terminal ask, for an administrator of ours and for a local one. The agent
// asks first as which of them.
func (v *visit) elevated(t *testing.T, command string) {
	choose := func(c *terminal, name string) {
		c.t.Helper()
		c.typeLine(c.expect(`(\d+)\. .*` + name + `(?:.|\n)*Choose identity to authenticate as \(1-2\): `)[1])
	}
	for password, want := range map[string]string{localPassword: elevatedAs0, "wrong": `AUTHENTICATION FAILED`} {
		c := v.sshWith(t, v.locals.args(), "local", command)
		choose(c, "local")
		c.expect(`[Pp]assword: `)
		stop := c.keepTyping(password)
		c.expect(want)
		stop()
		c.end()
	}
	c := v.ssh(t, admin, command)
	c.signIn(admin)
	choose(c, admin)
	c.expect(`Signing in to \S+ as admin@contoso\.example \(polkit-1\)\. \n`)
	page, code := c.prompted()
	browse(t, page, code, admin)
	stop := c.keepTyping("")
	c.expect(elevatedAs0)
	stop()
	c.endsWell()
	if said := v.log(t, `signed-in .*service="polkit-1"`); !strings.Contains(said, admin) {
		t.Errorf("log: %q", said)
	}
}

func (v *visit) sudoRS(t *testing.T) {
	c := v.ssh(t, admin, "sudo-rs -k; sudo-rs id -u")
	c.signIn(admin)
	c.expect(`Signing in to \S+ as admin@contoso\.example \(sudo\)\. \n`)
	c.signIn(admin)
	c.expect(`\n0\n`)
	c.endsWell()
	c = v.ssh(t, admin, "sudo-rs -n id -u")
	c.signIn(admin)
	if status, rest := c.end(); status != 1 || strings.Contains(rest, "To sign in") {
		t.Errorf("-n: exit status %d, said %q", status, rest)
	}
}
