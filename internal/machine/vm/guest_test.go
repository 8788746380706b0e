// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// These tests run inside a machine of its own kernel (vm_test.go), as root, after its console has
// said that it is up. Entra ID and Azure are this process; addresses and ports are the real ones,
// since policies go by them.

// guest is which of them are for this machine: a word; empty on every other machine.
func guest() string { return os.Getenv("VM_GUEST") }

const guestCA = "/etc/ssl/certs/emulator-ca.pem"

// ahead is how far the clock of Entra ID is ahead of the machine's.
var ahead atomic.Int64

// startGuest is TestMain's part there.
func startGuest() error {
	rig.Patience = 15 * time.Minute
	now, err := strconv.ParseInt(os.Getenv("VM_NOW"), 10, 64)
	if err != nil {
		return err
	}
	ahead.Store(int64(time.Until(time.Unix(now, 0)).Round(time.Second)))
	if out, err := exec.Command("ip", "address", "replace", rig.MetadataAddress+"/32", "dev", "lo").
		CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	rig.Entra = &emulator.Server{EntraAddr: "127.0.0.1:443",
		MetadataAddr: rig.MetadataAddress + ":80",
		Now:          func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	if err := rig.Entra.Start(); err != nil {
		return err
	}
	return os.WriteFile(guestCA, rig.Entra.CA(), 0o644)
}

// needGuest skips on other machines.
func needGuest(t *testing.T, which string) {
	t.Helper()
	if guest() != which {
		t.Skip("it takes a machine with a kernel of its own; run: make vm")
	}
}

// steps run one after the other, and none after one that failed.
func steps(t *testing.T, all []step) {
	t.Helper()
	for _, s := range all {
		if !t.Run(s.name, s.do) {
			t.Fatalf("%s failed; the steps after it need it", s.name)
		}
	}
}

type step struct {
	name string
	do   func(*testing.T)
}

// guestSSH is "ssh NAME@machine COMMAND" to the machine's own sshd.
func guestSSH(t *testing.T, options []string, name string, command ...string) *rig.Terminal {
	t.Helper()
	args := append([]string{"-p", "22", "-tt"}, options...)
	return rig.Open(t, "ssh", append(append(args, rig.SSHArgs(name+"@127.0.0.1")...),
		command...)...)
}

// configure is what aadctl setup would write.
func configure(t *testing.T) {
	t.Helper()
	text := fmt.Sprintf(`tenant_id = "aaaabbbb-0000-cccc-1111-dddd2222eeee"
client_id = "00001111-aaaa-2222-bbbb-3333cccc4444"
domains = ["contoso.example"]

[endpoints]
authority = %q
resource_manager = %q
ca_file = %q
`, rig.Entra.EntraURL(), rig.Entra.EntraURL(), guestCA)
	if err := rig.ReplaceFile(rig.ConfigFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "aadctl", "config", "apply")
}

// inSession signs a person in with a code, and wants what a session of theirs has: a home of their
// own, made at the first sign-in, a session of logind's, and XDG_RUNTIME_DIR.
func inSession(t *testing.T, name string) (said string) {
	t.Helper()
	c := guestSSH(t, nil, name,
		`id -Z 2>/dev/null; pwd; stat -c '%U %a' .; ls -A; echo "runtime $XDG_RUNTIME_DIR"; loginctl show-user "$USER" -p State; echo end`)
	c.SignIn(name)
	said = c.Expect(`(?s)(.*)\nend\n`)[1]
	c.EndsWell()
	uid := strings.TrimSpace(rig.Must(t, "id", "-u", name))
	for _, want := range []string{"\n/home/" + name + "\n", name + " 700\n", ".bashrc",
		"\nruntime /run/user/" + uid + "\n", "State=active"} {
		if !strings.Contains("\n"+said, want) {
			t.Errorf("a session of %s has no %q:\n%s", name, want, said)
		}
	}
	return said
}

// sudoByCode becomes root as an administrator does.
func sudoByCode(t *testing.T) {
	c := guestSSH(t, nil, rig.Admin, "sudo id -u")
	c.SignIn(rig.Admin)
	c.SignIn(rig.Admin)
	c.Expect(`\n0\n`)
	c.EndsWell()
}

// byKey is a login without a browser, authorized by the machine's identity. Under SELinux, Debian's
// policy leaves it to people themselves to label what they make, so sshd may not read a key that
// has just been put there; that is the same for everybody.
func byKey(t *testing.T) {
	pair := rig.NewKeyPair(t)
	c := guestSSH(t, nil, rig.User, "umask 077; mkdir -p .ssh; echo '"+
		strings.TrimSpace(pair.Public)+"' >.ssh/authorized_keys; /usr/sbin/restorecon -R .ssh || :")
	c.SignIn(rig.User)
	c.EndsWell()
	c = guestSSH(t, pair.Args(), rig.User, "id -un")
	c.Expect(`user@contoso\.example\n`)
	c.EndsWell()
	rig.Revoke(t, rig.User)
	c = guestSSH(t, pair.Args("-o", "KbdInteractiveAuthentication=no"),
		rig.User, "echo in as $(id -un)")
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "in as") {
		t.Errorf("without the role: exit status %d, said %q", status, rest)
	}
}

// byCron is a job of a person's.
func byCron(t *testing.T) {
	tab := "/var/spool/cron/crontabs/" + rig.User
	c := guestSSH(t, nil, rig.User,
		"echo '* * * * * id -un >cron-was-here' | crontab -; crontab -l")
	c.SignIn(rig.User)
	c.Expect(`cron-was-here`)
	c.EndsWell()
	t.Cleanup(func() { os.Remove(tab) })
	rig.Eventually(t, "the job has run", rig.Patience, func() bool {
		said, err := os.ReadFile("/home/" + rig.User + "/cron-was-here")
		return err == nil && string(said) == rig.User+"\n"
	})
}

// checked wants aadctl check to find nothing.
func checked(t *testing.T) {
	out, status := rig.Command(t, "", "aadctl", "check", "--json")
	if wrong := rig.WrongOf(t, out); status != 0 || len(wrong) > 0 {
		t.Errorf("aadctl check: exit status %d: %+v", status, wrong)
		for _, file := range []string{"/var/log/audit/audit.log", "/var/log/kern.log"} {
			denied, _ := rig.Command(t, "", "grep", "-h", "denied", file)
			t.Logf("%s", denied)
		}
	}
}

// refusals are those of somebody without the role, and of a name that is nobody's.
func refusedByName(t *testing.T) {
	c := guestSSH(t, nil, "norole@contoso.example")
	c.SignIn("norole@contoso.example")
	c.Expect(rig.DeniedSentence)
	if status, _ := c.End(); status != 255 {
		t.Errorf("exit status %d", status)
	}
}

// unwanted are the lines of a log that a pattern has found, but for those that have their reason.
func unwanted(lines string, pattern string, reasons map[string]string) (all []string) {
	re := regexp.MustCompile(pattern)
	for line := range strings.Lines(lines) {
		known := !re.MatchString(line)
		for reason := range reasons {
			known = known || regexp.MustCompile(reason).MatchString(line)
		}
		if !known {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}
