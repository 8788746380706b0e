// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"os"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// What boots, clocks and shutdowns do to people. The machine's first boot has a clock that has lost
// its battery; before its second, people lingered.

// clockFarOff: systemd takes a clock of 2001 for what it is, and goes on from when it was built
// itself. Nobody signs in, each is told why, and all is well once the clock is set: nothing has to
// be started again.
func clockFarOff(t *testing.T) {
	if off := time.Duration(ahead.Load()); off < 24*time.Hour {
		t.Fatalf("the clock is right but for %v", off)
	}
	c := guestSSH(t, nil, rig.User, "echo in")
	status, said := c.End()
	t.Logf("the person: exit status %d, %s", status, said)
	if status != 255 || !strings.Contains(said, "clock") {
		t.Errorf("exit status %d, said %q", status, said)
	}
	out, status := rig.Command(t, "", "aadctl", "check", "--json")
	wrong := rig.WrongOf(t, out)
	t.Logf("aadctl check: %+v", wrong)
	if status == 0 || len(wrong) == 0 || !strings.Contains(out, "clock") {
		t.Errorf("aadctl check: exit status %d: %+v", status, wrong)
	}
	log := rig.Must(t, "journalctl", "--boot", "--quiet", "--output=cat", "--identifier=sshd",
		"--identifier=sshd-session")
	t.Logf("the log: %s", log)
	if !strings.Contains(log, "clock") {
		t.Error("the log does not say that it is the clock")
	}
	rig.Must(t, "date", "--set", rig.Entra.Now().UTC().Format("2006-01-02 15:04:05Z"))
	ahead.Store(0)
}

// leaveLingering has two people linger, of whom one has a last grant.
func leaveLingering(t *testing.T) {
	text := rig.FileText(t, rig.ConfigFile)
	if err := rig.ReplaceFile(rig.ConfigFile,
		[]byte(text+"\n[authorization]\ngrant_lifetime = \"12h\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "aadctl", "config", "apply")
	inSession(t, rig.User)
	inSession(t, rig.Admin)
	for _, name := range []string{rig.Admin, rig.User} {
		rig.Must(t, "loginctl", "enable-linger", name)
	}
	rig.Must(t, "rm", "/var/lib/aad-login/grants/"+uidOf(t, rig.User))
}

func uidOf(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(rig.Must(t, "id", "-u", name))
}

// findLingering is the boot after that, which has begun without Azure. The last grant has stood in
// for it; without one, the services of the other come with the next login.
func findLingering(t *testing.T) {
	unit := func(name string) string { return "user@" + uidOf(t, name) + ".service" }
	for _, name := range []string{rig.Admin, rig.User} {
		rig.Eventually(t, "the manager of "+name+" has started", rig.Patience, func() bool {
			state := rig.Must(t, "systemctl", "show", "--property=ActiveState", "--value",
				unit(name))
			return state == "active\n" || state == "failed\n"
		})
	}
	log := rig.Must(t, "journalctl", "--boot", "--quiet", "--output=cat", "--grep=pam_aad")
	t.Logf("the log: %s", log)
	// 224 is PAM's refusal. On a starved machine logind is late for everybody's manager, which ends
	// in another way.
	exit := func(name string) string {
		return strings.TrimSpace(rig.Must(t, "systemctl", "show", "--property=ExecMainStatus",
			"--value", unit(name)))
	}
	if exit(rig.Admin) == "224" || exit(rig.User) != "224" {
		t.Errorf("with a grant, the manager's exit status is %s; without, %s",
			exit(rig.Admin), exit(rig.User))
	}
	if !strings.Contains(log, `reason="last-grant"`) ||
		!strings.Contains(log, `failed reason="unreachable"`) {
		t.Error("the log does not say why")
	}
	inSession(t, rig.User)
	rig.Must(t, "systemctl", "is-active", unit(rig.User))
}

// TestAtPrompts switches the machine off under people who are asked for a code, by sshd and by
// sudo.
func TestAtPrompts(t *testing.T) {
	needGuest(t, "prompts")
	guestSSH(t, nil, rig.User, "echo in").Prompted()
	c := guestSSH(t, nil, rig.Admin, "sudo id -u")
	c.SignIn(rig.Admin)
	c.Prompted()
	rig.Must(t, "systemctl", "poweroff")
	c.End()
	os.Stdout.WriteString("the connection has ended\n")
	select {} // until the machine ends this
}
