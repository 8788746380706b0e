// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// A caching name service gives outdated answers for a while. Former accounts of ours must be
// refused, and local users who now have the id or name of a former account must be let in.

// accountsOfBefore makes four accounts that the name service has heard of. Three of them have
// changed since. Their names end in domain, which is "" with short names.
func accountsOfBefore(t *testing.T, n rig.NSCD, domain string, first int) (names []string) {
	t.Helper()
	for i := range 4 {
		name := fmt.Sprintf("before%d%s", first+i, domain)
		rig.Must(t, "aadctl", "account", "import", rig.PasswdFile(t, name, first+i))
		if !strings.Contains(n.Entry(name), fmt.Sprintf(":%d:", first+i)) {
			t.Fatalf("%s: %q", name, n.Entry(name))
		}
		names = append(names, name)
	}
	rig.Must(t, "aadctl", "account", "remove", names[0])
	rig.Must(t, "aadctl", "account", "rename", names[1], fmt.Sprintf("after%d%s", first, domain))
	rig.Must(t, "aadctl", "account", "set", names[2], "--uid", fmt.Sprint(first+1000))
	return names
}

// refusedWhileBehind fails unless a login by key as a former account is refused with a sentence and
// a log line.
func refusedWhileBehind(
	t *testing.T, n rig.NSCD, login func(name, command string) *rig.Terminal, first int,
) {
	t.Helper()
	names := accountsOfBefore(t, n, "@contoso.example", first)
	expect := func(i int, sentence, reason string) {
		t.Helper()
		if !strings.Contains(n.Entry(names[i]), fmt.Sprintf(":%d:", first+i)) {
			t.Errorf("the name service is not behind about %s: %q", names[i], n.Entry(names[i]))
		}
		mark := rig.Syslog.Mark()
		c := login(names[i], "echo in as $(id -u)")
		c.Expect(sentence)
		if status, rest := c.End(); status != 255 || strings.Contains(rest, "in as") {
			t.Errorf("%s: exit status %d, said %q", names[i], status, rest)
		}
		rig.Syslog.Settle(t)
		rig.Syslog.Exactly(t, mark, 1, `reason="`+reason+`" account="`+names[i]+`"`)
	}
	expect(0, "This account has been removed from this machine", "removed-account")
	expect(1, "This name is no longer in use on this machine", "former-name")
	expect(2, "The accounts of this machine changed while you were connecting", "stale-lookup")
	t.Run("with a store that cannot be read", func(t *testing.T) {
		rig.Edit(t, rig.StoreFile, func(s string) []byte { return []byte(s[:len(s)/2]) })
		expect(3, "its account store is damaged", "store-damaged")
	})
}

// localUserWith makes a user of this machine who may use sudo.
func localUserWith(t *testing.T, n rig.NSCD, name string, uid int) {
	t.Helper()
	rig.Must(t, "useradd", "--badname", "--no-create-home", "--home-dir", "/tmp", "--shell",
		"/bin/bash", "--uid", fmt.Sprint(uid), name)
	sudoers := fmt.Sprintf("/etc/sudoers.d/local%d", uid)
	err := os.WriteFile(sudoers, fmt.Appendf(nil, "#%d ALL=(ALL) NOPASSWD: ALL\n", uid), 0o440)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(sudoers)
		rig.Must(t, "userdel", "--force", name) // the processes of a session end by themselves
	})
	rig.Eventually(t, "the name service knows "+name+" as a local user", rig.Patience, func() bool {
		// useradd does this; it does not find this socket. sssd looks by itself.
		n.Run("nscd", "--invalidate=passwd")
		return strings.Contains(n.Entry(name), fmt.Sprintf(":%d:", uid)) &&
			strings.HasSuffix(n.Entry(name), ":/tmp:/bin/bash\n")
	})
}

// localsOfBefore are local users with the id, or the name and the id, of a former account.
func localsOfBefore(t *testing.T, n rig.NSCD, domain string, first int) map[string]int {
	t.Helper()
	locals := map[string]int{
		fmt.Sprintf("carl%d", first):             first + 2, // which an account had
		fmt.Sprintf("before%d%s", first, domain): first,     // whose account has been removed
	}
	for name, uid := range locals {
		localUserWith(t, n, name, uid)
	}
	return locals
}

// admitted fails unless a local user signs in with a key and uses sudo, and cron's PAM stack
// passes, all without a message of ours.
func admitted(
	t *testing.T, n rig.NSCD, login func(name, command string) *rig.Terminal,
	name string, uid int,
) {
	t.Helper()
	mark := rig.Syslog.Mark()
	c := login(name, "echo in as $(id -un):$(id -u) and $(sudo -n id -u)")
	c.Expect(fmt.Sprintf(`in as %s:%d and 0`, name, uid))
	if status, rest := c.End(); status != 0 {
		t.Errorf("%s: exit status %d, said %q", name, status, rest)
	}
	out, _ := n.Run(rig.HostProgram(t), "cron", name, "acct_mgmt", "setcred")
	for _, phase := range []string{"acct_mgmt", "setcred"} {
		if !strings.Contains(out, "result "+phase+" "+rig.PAMSuccess+"\n") {
			t.Errorf("%s: %s", name, out)
		}
	}
	rig.Syslog.Settle(t)
	rig.Syslog.Exactly(t, mark, 0, "")
}

func TestNSCDThatIsBehind(t *testing.T) {
	const first = 310000
	n := rig.StartNSCD(t, nil)
	login := n.KeyLogin("2243")
	refusedWhileBehind(t, n, login, first)
	for name, uid := range localsOfBefore(t, n, "@contoso.example", first) {
		admitted(t, n, login, name, uid)
	}
}
