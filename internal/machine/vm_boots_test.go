// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"strings"
	"testing"
	"time"
)

// What boots, clocks and shutdowns do to people. The machine's first boot has a clock that has lost its battery; before its second,
// people lingered.

// clockFarOff: systemd takes a clock of 2001 for what it is, and goes on from when it was built itself. Nobody signs in, each is told why,
// and all is well once the clock is set: nothing has to be started again.
func clockFarOff(t *testing.T) {
	if off := time.Duration(ahead.Load()); off < 24*time.Hour {
		t.Fatalf("the clock is right but for %v", off)
	}
	c := guestSSH(t, nil, user, "echo in")
	status, said := c.end()
	t.Logf("the person: exit status %d, %s", status, said)
	if status != 255 || !strings.Contains(said, "clock") {
		t.Errorf("exit status %d, said %q", status, said)
	}
	out, status := command(t, "", "aadctl", "check", "--json")
	wrong := wrongOf(t, out)
	t.Logf("aadctl check: %+v", wrong)
	if status == 0 || len(wrong) == 0 || !strings.Contains(out, "clock") {
		t.Errorf("aadctl check: exit status %d: %+v", status, wrong)
	}
	log := must(t, "journalctl", "--boot", "--quiet", "--output=cat", "--identifier=sshd", "--identifier=sshd-session")
	t.Logf("the log: %s", log)
	if !strings.Contains(log, "clock") {
		t.Error("the log does not say that it is the clock")
	}
	must(t, "date", "--set", entra.Now().UTC().Format("2006-01-02 15:04:05Z"))
	ahead.Store(0)
}

// leaveLingering has two people linger, of whom one has a last grant.
func leaveLingering(t *testing.T) {
	text := fileText(t, configFile)
	if err := replaceFile(configFile, []byte(text+"\n[authorization]\ngrant_lifetime = \"12h\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "aadctl", "config", "apply")
	inSession(t, user)
	inSession(t, admin)
	for _, name := range []string{admin, user} {
		must(t, "loginctl", "enable-linger", name)
	}
	must(t, "rm", "/var/lib/aad-login/grants/"+uidOf(t, user))
}

func uidOf(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(must(t, "id", "-u", name))
}

// findLingering is the boot after that, which has begun without Azure. The last grant has stood in for it; without one, the services
// of the other come with the next login.
func findLingering(t *testing.T) {
	log := must(t, "journalctl", "--boot", "--quiet", "--output=cat", "--grep=pam_aad")
	t.Logf("the log: %s", log)
	unit := func(name string) string { return "user@" + uidOf(t, name) + ".service" }
	if out, status := command(t, "", "systemctl", "is-active", unit(admin)); status != 0 {
		t.Errorf("with a grant, %s is %s", unit(admin), out)
	}
	if out, status := command(t, "", "systemctl", "is-failed", unit(user)); status != 0 {
		t.Errorf("without a grant, %s is %s", unit(user), out)
	}
	if !strings.Contains(log, `reason="last-grant"`) || !strings.Contains(log, `failed reason="unreachable"`) {
		t.Error("the log does not say why")
	}
	inSession(t, user)
	must(t, "systemctl", "is-active", unit(user))
}

// TestAtPrompts switches the machine off under people who are asked for a code, by sshd and by sudo.
func TestAtPrompts(t *testing.T) {
	needGuest(t, "prompts")
	guestSSH(t, nil, user, "echo in").prompted()
	c := guestSSH(t, nil, admin, "sudo id -u")
	c.signIn(admin)
	c.prompted()
	must(t, "systemctl", "poweroff")
	c.end()
	os.Stdout.WriteString("the connection has ended\n")
	select {} // until the machine ends this
}
