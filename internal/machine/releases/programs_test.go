// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// TestBootedPrograms tests sudo-rs and the programs that ask PAM only where systemd runs. The
// script "hosts" runs it.
func TestBootedPrograms(t *testing.T) {
	if releaseRoot() == "" {
		t.Skip("it takes a root with those programs; run: make hosts")
	}
	v := visit{release: newRelease(t), locals: rig.NewKeyPair(t)}
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
		t.Run(step.name, func(t *testing.T) { v.console.T = t; step.do(&v, t) })
	}
	v.console.T = t
	versions := v.must(t, "dpkg-query", "-W", "-f", "${Package} ${Version}, ", "systemd", "polkitd",
		"sudo-rs", "sudo", "openssh-server")
	fmt.Fprintln(os.Stdout, strings.TrimSuffix(versions, ", "))
	v.off(t, "poweroff")
}

// adminRule is the rule of docs/programs.md. Without it polkit takes no account of ours for an
// administrator.
const adminRule = `polkit.addAdminRule(function(action, subject) { return ["unix-group:aad_admins", "unix-group:sudo"]; });` + "\n"

// unit tests a service with User=, which does not ask PAM, and one with PAMName= as well, whose
// account phase is asked.
func (v *visit) unit(t *testing.T) {
	v.write(t, "/etc/systemd/system/ours.service", "[Service]\nType=oneshot\nUser="+rig.Admin+
		"\nExecStart=/usr/bin/id -un\n", 0o644)
	v.must(t, "systemctl", "start", "ours.service")
	v.write(t, "/etc/systemd/system/ours.service", "[Service]\nType=oneshot\nUser="+rig.Admin+
		"\nPAMName=login\nExecStart=/usr/bin/id -un\n", 0o644)
	v.must(t, "systemctl", "daemon-reload")
	v.must(t, "systemctl", "start", "ours.service")
	if said := v.log(t, `authorized .*service="login"`); !strings.Contains(said, rig.Admin) {
		t.Errorf("log: %q", said)
	}
}

func (v *visit) systemdRun(t *testing.T) {
	out := v.must(t, "systemd-run", "--quiet", "--pipe", "--wait", "--uid="+rig.Admin, "id", "-un")
	if out != rig.Admin+"\n" {
		t.Errorf("said %q", out)
	}
}

func (v *visit) linger(t *testing.T) {
	v.must(t, "loginctl", "enable-linger", rig.Admin)
	unit := "user@" + strings.Split(v.first, ":")[2] + ".service"
	rig.Eventually(t, unit+" runs", rig.Patience, func() bool {
		_, status := v.command(t, "systemctl", "is-active", unit)
		return status == 0
	})
	if said := v.log(t, `authorized .*service="systemd-user"`); !strings.Contains(said, rig.Admin) {
		t.Errorf("log: %q", said)
	}
	v.must(t, "loginctl", "disable-linger", rig.Admin)
}

// pkexecWithAgent waits until the agent says that it is ready, by closing its descriptor.
const pkexecWithAgent = "mkfifo f; pkttyagent --process $$ --notify-fd 3 3>f & cat f; rm f; " +
	"pkexec --disable-internal-agent id -u; kill $!"

// ownAgentWorks is called before the package is installed. The pkexec of polkit 128 asks for the
// password itself, as root. The helper is a service by then, and looks among root's dialogues for
// the one that it must end.
func (v *visit) ownAgentWorks(t *testing.T) bool {
	t.Helper()
	c := v.sshWith(t, v.locals.Args(), "local", "pkexec id -u")
	c.Expect(`[Pp]assword: `)
	stop := c.KeepTyping(rig.LocalPassword)
	defer stop()
	return c.Expect(`AUTHENTICATION (COMPLETE|FAILED)`)[1] == "COMPLETE"
}

// elevatedAs0 is the output that follows: the agent's message, in colour, and that of id.
const elevatedAs0 = `AUTHENTICATION COMPLETE [^\n]*\n(?:\x1b\S*)?0\n`

// elevated runs a program for which polkit's agent on the terminal asks, for an administrator of
// ours and for a local one. The agent first asks which of them.
func (v *visit) elevated(t *testing.T, command string) {
	choose := func(c *rig.Terminal, name string) {
		c.T.Helper()
		number := c.Expect(`(\d+)\. .*` + name +
			`(?:.|\n)*Choose identity to authenticate as \(1-2\): `)[1]
		c.TypeLine(number)
	}
	for password, want := range map[string]string{
		rig.LocalPassword: elevatedAs0,
		"wrong":           `AUTHENTICATION FAILED`,
	} {
		c := v.sshWith(t, v.locals.Args(), "local", command)
		choose(c, "local")
		c.Expect(`[Pp]assword: `)
		stop := c.KeepTyping(password)
		c.Expect(want)
		stop()
		c.End()
	}
	c := v.ssh(t, rig.Admin, command)
	c.SignIn(rig.Admin)
	choose(c, rig.Admin)
	c.Expect(`Signing in to \S+ as admin@contoso\.example \(polkit-1\)\. \n`)
	page, code := c.Prompted()
	rig.Browse(t, page, code, rig.Admin)
	stop := c.KeepTyping("")
	c.Expect(elevatedAs0)
	stop()
	c.EndsWell()
	if said := v.log(t, `signed-in .*service="polkit-1"`); !strings.Contains(said, rig.Admin) {
		t.Errorf("log: %q", said)
	}
}

func (v *visit) sudoRS(t *testing.T) {
	c := v.ssh(t, rig.Admin, "sudo-rs -k; sudo-rs id -u")
	c.SignIn(rig.Admin)
	c.Expect(`Signing in to \S+ as admin@contoso\.example \(sudo\)\. \n`)
	c.SignIn(rig.Admin)
	c.Expect(`\n0\n`)
	c.EndsWell()
	c = v.ssh(t, rig.Admin, "sudo-rs -n id -u")
	c.SignIn(rig.Admin)
	if status, rest := c.End(); status != 1 || strings.Contains(rest, "To sign in") {
		t.Errorf("-n: exit status %d, said %q", status, rest)
	}
}
