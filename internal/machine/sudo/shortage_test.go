// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package sudo

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// portRange is the range of the tests' own network.
const portRange = "/proc/sys/net/ipv4/ip_local_port_range"

// holdPorts lets an ordinary user take all ports from which Resource Manager can be reached, and
// returns a function that frees them.
func holdPorts(t *testing.T, name string) (release func()) {
	t.Helper()
	before, err := os.ReadFile(portRange)
	if err == nil {
		err = os.WriteFile(portRange, []byte("40000 40150"), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	holder := exec.Command("runuser", "-u", name, "--", "bash", "-c",
		"for i in {1..500}; do exec {fd}<>/dev/tcp/127.0.0.1/8443 || break; done 2>/dev/null; "+
			"echo $i; exec cat")
	stdin, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := holder.StdoutPipe()
	if err != nil || holder.Start() != nil {
		t.Fatal(err)
	}
	release = func() {
		stdin.Close()
		holder.Wait()
		if err := os.WriteFile(portRange, before, 0); err != nil {
			t.Error(err)
		}
	}
	var got int
	if _, err := fmt.Fscan(stdout, &got); err != nil || got < 100 || got > 152 {
		release()
		t.Fatalf("%d ports held: %v", got, err)
	}
	return release
}

// A person who has lost the administrator's role takes all of the machine's ports. That is no
// outage: not to sudo, not to the account phase, and not to a login by key. A real outage lets them
// in, but not as an administrator.
func TestShortageIsNoOutage(t *testing.T) {
	const admin = "shortage@contoso.example"
	rig.Hire(t, admin, rig.AdminRole)
	rig.Configured(t, "authorization", "grant_lifetime = \"1h\"")
	rig.Edit(t, "/etc/sudoers.d/aad_admins",
		func(string) []byte { return []byte("%aad_admins ALL=(ALL) NOPASSWD: ALL\n") })
	session := session(t, admin)
	key := filepath.Join(t.TempDir(), "key")
	rig.Must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	session.TypeLine("mkdir -p .ssh && echo '" + strings.TrimSpace(string(public)) +
		"' > .ssh/authorized_keys && sudo -n id -u")
	session.Expect(`\n0\n`)
	session.Expect(`\$ `) // sudo drops what is typed before its end
	withKey := func() *rig.Terminal {
		return rig.Open(t, "ssh", "-p", rig.SSHPort, "-F", "none", "-o", "StrictHostKeyChecking=no",
			"-o", "UserKnownHostsFile=/dev/null",
			"-o", "PreferredAuthentications=publickey", "-i", key, admin+"@127.0.0.1", "id -nG")
	}

	const told = `This machine is out of local ports, so it cannot reach the authorization service of Azure\.`
	rig.Hire(t, admin, "")
	release := holdPorts(t, admin)
	mark := rig.Syslog.Mark()
	session.TypeLine("sudo -n id -u || echo no")
	session.Expect(told + `(?s).*\nno\n`)
	c := withKey()
	c.Expect(told)
	if status, _ := c.End(); status == 0 {
		t.Error("let in by a key")
	}
	if err := rig.NewHost(t, admin, "").Tx.AcctMgmt(0); !errors.Is(err, pam.ErrSystem) {
		t.Errorf("account phase: %v", err)
	}
	release()
	rig.Syslog.Exactly(t, mark, 3,
		`: failed reason="cannot-connect" .*server="authorization service of Azure".*cannot assign requested address`)

	rig.Entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
	mark = rig.Syslog.Mark()
	session.TypeLine("sudo -n id -u || echo not either")
	session.Expect(`cannot be reached(?s).*\nnot either\n`)
	rig.Syslog.Exactly(t, mark, 1,
		`sudo:account.*: failed reason="unreachable" .*grant_problem="does not cover administrators"`)
	c = withKey()
	if groups := c.Expect(`(?m)^.*aad_users.*$`)[0]; strings.Contains(groups, "aad_admins") {
		t.Errorf("by the last grant, a session has the groups %s", groups)
	}
	c.End()
	rig.Entra.Heal()
	session.TypeLine("sudo -n id -u || echo never")
	session.Expect(`(Access denied|no longer an administrator)(?s).*\nnever\n`)
}
