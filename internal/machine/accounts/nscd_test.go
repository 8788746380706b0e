// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/machine/rig"
)

func TestNSCDAnswersAsWeDo(t *testing.T) {
	const name = "admin@contoso.example"
	rig.Stored(t, name)
	uid := strings.TrimSpace(rig.Must(t, "id", "-u", name))
	n := rig.StartNSCD(t, nil)
	for _, query := range []string{
		"passwd " + name, "passwd " + uid, "group " + name, "group " + uid,
		"group aad_users", "group aad_admins", "group 1879048192", "group 1879048193",
	} {
		args := append([]string{"getent"}, strings.Fields(query)...)
		want := rig.Must(t, args[0], args[1:]...)
		for range 2 { // the second from what it remembers
			if got, status := n.Ask(args...); status != 0 || got != want {
				t.Errorf("%s: %q, exit status %d; without nscd %q", query, got, status, want)
			}
		}
	}
	// It asks with no primary group. Without one, C cannot tell whether a local account of this
	// name is meant.
	if got, status := n.Ask("id", "-G", name); status != 0 || got != uid+"\n" {
		t.Errorf("groups %q, exit status %d", got, status)
	}
}

// After the store is replaced, nscd answers from the new one: at once if it is told to forget, or
// by itself in time.
func TestNSCDFollowsTheStore(t *testing.T) {
	const name = "renewed@contoso.example"
	put := func(shell string) {
		err := account.Store{Dir: filepath.Dir(rig.StoreFile)}.Update(func(e *account.Edit) error {
			return e.Put(account.Account{
				Name: name, UPN: name, UID: 300001, Gecos: name, Home: "/tmp", Shell: shell,
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	says := func(n rig.NSCD) string {
		out, _ := n.Ask("getent", "passwd", name)
		return strings.TrimSpace(out[strings.LastIndex(out, ":")+1:])
	}
	told := rig.StartNSCD(t, map[string]string{
		"positive-time-to-live": "3600",
		"negative-time-to-live": "3600",
	})
	timed := rig.StartNSCD(t, map[string]string{
		"positive-time-to-live": "1",
		"negative-time-to-live": "1",
	})
	for _, n := range []rig.NSCD{told, timed} {
		if got := says(n); got != "" {
			t.Fatalf("known too early: %s", got)
		}
	}
	for _, shell := range []string{"/bin/sh", "/bin/bash"} {
		put(shell)
		// If it had to copy the store, it cannot see the replacement. It is told when a second has
		// passed.
		rig.Eventually(t, "nscd forgets when told", rig.Patience, func() bool {
			if out, status := told.Run("nscd", "--invalidate=passwd"); status != 0 {
				t.Fatal(out)
			}
			return says(told) == shell
		})
	}
	rig.Eventually(t, "nscd forgets by itself", rig.Patience,
		func() bool { return says(timed) == "/bin/bash" })
}

// nscd may not know accounts before their first sign-in. So the programs that it answers do not
// learn of them: root's, one that is called sshd, and sshd itself.
func TestNSCDDoesNotHearOfNeverSeenNames(t *testing.T) {
	const port, name = "2224", "behind@contoso.example"
	employ(t, name)
	n := rig.StartNSCD(t, nil)
	if err := os.Mkdir("/run/called", 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll("/run/called")
	rig.Must(t, "cp", "/usr/bin/getent", "/run/called/sshd")
	for _, program := range []string{"getent", "/run/called/sshd"} {
		if out, status := n.Run(program, "passwd", name); status != 2 {
			t.Errorf("%s: exit status %d, said %q", program, status, out)
		}
	}
	n.SSHD(port)
	mark, codes := rig.Syslog.Mark(), rig.Requests("devicecode")
	// The first -p counts.
	c := rig.Open(t, "ssh",
		append([]string{"-p", port, "-tt"}, rig.SSHArgs(name+"@127.0.0.1", "id -un")...)...)
	c.Expect(`Tell the administrator of this machine: the name service of this machine does not know its sign-in accounts\.`)
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	rig.Syslog.Settle(t)
	if got := rig.Syslog.Find(mark, name); len(got) == 0 {
		t.Error("the log says nothing of it")
	}
	if n := rig.Requests("devicecode") - codes; n != 0 {
		t.Errorf("%d device codes for a sign-in that cannot succeed", n)
	}
}

// With the lines for nscd.conf from README.md, a first sign-in works as it does without nscd.
func TestNSCDWithoutPasswdAndGroup(t *testing.T) {
	const port, name = "2225", "despite@contoso.example"
	employ(t, name)
	n := rig.StartNSCD(t, map[string]string{"enable-cache": "no"})
	n.SSHD(port, "-o", "AllowGroups=aad_users")
	c := rig.Open(t, "ssh",
		append([]string{"-p", port, "-tt"}, rig.SSHArgs(name+"@127.0.0.1", "id -Gn")...)...)
	c.SignIn(name)
	c.Expect(`\ndespite@contoso\.example aad_users\n`)
	if status, rest := c.End(); status != 0 {
		t.Errorf("exit status %d, said %q", status, rest)
	}
	if out, status := n.Run("getent", "passwd", "unseen@contoso.example"); status != 2 {
		t.Errorf("getent knows a never-seen name: %s", out)
	}
}
