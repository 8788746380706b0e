// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

const (
	confinedOID  = "c0f1c0f1-0000-4000-8000-000000000001"
	confinedPort = "2231"
)

// members sets the members of the Entra group that is mapped to the local group confined.
func members(t *testing.T, names ...string) {
	t.Helper()
	err := rig.Entra.Update(func(d *emulator.Directory) {
		d.GroupsClaim = true
		d.Groups = slices.DeleteFunc(d.Groups,
			func(g emulator.Group) bool { return g.ObjectID == confinedOID })
		if len(names) > 0 {
			d.Groups = append(d.Groups, emulator.Group{
				Name: "confined", ObjectID: confinedOID, Members: names,
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sshdWith restarts the sshd of this test with these rules at the end of its configuration, and
// applies them.
func sshdWith(t *testing.T, rules string) {
	t.Helper()
	rig.Edit(t, "/etc/ssh/sshd_config", func(s string) []byte {
		return []byte(s + "\n" + rules + "\n")
	})
	said := rig.Must(t, "aadctl", "config", "apply")
	if !strings.Contains(said, "asks to connect again") {
		t.Errorf("aadctl config apply said %q", said)
	}
	started, err := rig.StartSSHD(confinedPort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(started) })
}

func end(sshd *exec.Cmd) {
	sshd.Process.Kill()
	sshd.Wait()
}

// Each rule of sshd about a group that sign-ins change holds from the first session on, for a
// person who joins the group and for one who leaves it.
func TestRulesByGroup(t *testing.T) {
	rig.Must(t, "groupadd", "confined")
	t.Cleanup(func() { rig.Must(t, "groupdel", "confined") })
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return fmt.Appendf([]byte(s), "\n[accounts.groups]\n%q = \"confined\"\n", confinedOID)
	})
	connect := func(name string) *rig.Terminal {
		args := rig.SSHArgs(name+"@127.0.0.1", "echo free")
		return rig.Open(t, "ssh", append([]string{"-p", confinedPort, "-tt"}, args...)...)
	}
	again := func(what, name string) {
		t.Helper()
		c := connect(name)
		c.SignIn(name)
		c.Expect(`Your groups on this machine have changed\. Connect again\.`)
		if status, rest := c.End(); status == 0 || strings.Contains(rest, "\nfree") {
			t.Errorf("%s: exit status %d, %q", what, status, rest)
		}
	}
	session := func(what, name, says string) {
		t.Helper()
		c := connect(name)
		c.SignIn(name)
		c.Expect(`(?m)^` + says + `\n`)
		if status, _ := c.End(); status != 0 {
			t.Errorf("%s: exit status %d", what, status)
		}
	}

	t.Run("Match Group", func(t *testing.T) {
		const gus = "gus@contoso.example"
		rig.Hire(t, gus, rig.LoginRole)
		members(t, gus)
		sshdWith(t, "Match Group confined\n\tForceCommand echo confined\nMatch all")
		again("a first sign-in of a member", gus)
		session("the next", gus, "confined")
		members(t)
		again("no member any more", gus)
		session("the next", gus, "free")
	})
	t.Run("AllowGroups", func(t *testing.T) {
		const bob = "bobby@contoso.example"
		rig.Hire(t, bob, rig.LoginRole)
		members(t, bob)
		sshdWith(t, "AllowGroups confined")
		again("a first sign-in of a member", bob)
		session("the next", bob, "free")
	})
	t.Run("DenyGroups", func(t *testing.T) {
		const adi = "adriana@contoso.example"
		rig.Hire(t, adi, rig.AdminRole)
		members(t)
		sshdWith(t, "DenyGroups aad_admins")
		again("a first sign-in of an administrator", adi)
	})
}
