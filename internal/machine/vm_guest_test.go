// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

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
)

// These tests run inside a machine of its own kernel (vm_test.go), as root, after its console has said that it is up. Entra ID and Azure
// are this process; addresses and ports are the real ones, since policies go by them.

// guest is which of them are for this machine: a word; empty on every other machine.
func guest() string { return os.Getenv("VM_GUEST") }

const guestCA = "/etc/ssl/certs/emulator-ca.pem"

// ahead is how far the clock of Entra ID is ahead of the machine's.
var ahead atomic.Int64

// startGuest is TestMain's part there.
func startGuest() error {
	patience = 15 * time.Minute
	now, err := strconv.ParseInt(os.Getenv("VM_NOW"), 10, 64)
	if err != nil {
		return err
	}
	ahead.Store(int64(time.Until(time.Unix(now, 0)).Round(time.Second)))
	if out, err := exec.Command("ip", "address", "replace", metadataAddress+"/32", "dev", "lo").CombinedOutput(); err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	entra = &emulator.Server{EntraAddr: "127.0.0.1:443", MetadataAddr: metadataAddress + ":80",
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }}
	if err := entra.Start(); err != nil {
		return err
	}
	return os.WriteFile(guestCA, entra.CA(), 0o644)
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
func guestSSH(t *testing.T, options []string, name string, command ...string) *terminal {
	t.Helper()
	args := append([]string{"-p", "22", "-tt"}, options...)
	return open(t, "ssh", append(append(args, sshArgs(name+"@127.0.0.1")...), command...)...)
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
`, entra.EntraURL(), entra.EntraURL(), guestCA)
	if err := replaceFile(configFile, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "aadctl", "config", "apply")
}

// inSession signs a person in with a code, and wants what a session of theirs has: a home of their own, made at the first sign-in, a
// session of logind's, and XDG_RUNTIME_DIR.
func inSession(t *testing.T, name string) (said string) {
	t.Helper()
	c := guestSSH(t, nil, name, `id -Z 2>/dev/null; pwd; stat -c '%U %a' .; ls -A; echo "runtime $XDG_RUNTIME_DIR"; loginctl show-user "$USER" -p State; echo end`)
	c.signIn(name)
	said = c.expect(`(?s)(.*)\nend\n`)[1]
	c.endsWell()
	uid := strings.TrimSpace(must(t, "id", "-u", name))
	for _, want := range []string{"\n/home/" + name + "\n", name + " 700\n", ".bashrc", "\nruntime /run/user/" + uid + "\n", "State=active"} {
		if !strings.Contains("\n"+said, want) {
			t.Errorf("a session of %s has no %q:\n%s", name, want, said)
		}
	}
	return said
}

// sudoByCode becomes root as an administrator does.
func sudoByCode(t *testing.T) {
	c := guestSSH(t, nil, admin, "sudo id -u")
	c.signIn(admin)
	c.signIn(admin)
	c.expect(`\n0\n`)
	c.endsWell()
}

// byKey is a login without a browser, authorized by the machine's identity. Under SELinux, Debian's policy leaves it to people themselves to
// label what they make, so sshd may not read a key that has just been put there; that is the same for everybody.
func byKey(t *testing.T) {
	pair := newKeyPair(t)
	c := guestSSH(t, nil, user, "umask 077; mkdir -p .ssh; echo '"+strings.TrimSpace(pair.public)+"' >.ssh/authorized_keys; /usr/sbin/restorecon -R .ssh || :")
	c.signIn(user)
	c.endsWell()
	c = guestSSH(t, pair.args(), user, "id -un")
	c.expect(`user@contoso\.example\n`)
	c.endsWell()
	revoke(t, user)
	c = guestSSH(t, pair.args("-o", "KbdInteractiveAuthentication=no"), user, "echo in as $(id -un)")
	if status, rest := c.end(); status != 255 || strings.Contains(rest, "in as") {
		t.Errorf("without the role: exit status %d, said %q", status, rest)
	}
}

// byCron is a job of a person's.
func byCron(t *testing.T) {
	tab := "/var/spool/cron/crontabs/" + user
	c := guestSSH(t, nil, user, "echo '* * * * * id -un >cron-was-here' | crontab -; crontab -l")
	c.signIn(user)
	c.expect(`cron-was-here`)
	c.endsWell()
	t.Cleanup(func() { os.Remove(tab) })
	eventually(t, "the job has run", patience, func() bool {
		said, err := os.ReadFile("/home/" + user + "/cron-was-here")
		return err == nil && string(said) == user+"\n"
	})
}

// checked wants aadctl check to find nothing.
func checked(t *testing.T) {
	out, status := command(t, "", "aadctl", "check", "--json")
	if wrong := wrongOf(t, out); status != 0 || len(wrong) > 0 {
		t.Errorf("aadctl check: exit status %d: %+v", status, wrong)
	}
}

// refusals are those of somebody without the role, and of a name that is nobody's.
func refusedByName(t *testing.T) {
	c := guestSSH(t, nil, "norole@contoso.example")
	c.signIn("norole@contoso.example")
	c.expect(deniedSentence)
	if status, _ := c.end(); status != 255 {
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
