// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aadlogin/internal/machine/rig"
)

// This is a smaller version of a flood of 300 strangers at a machine of 64 places. The strangers
// come from two addresses, because one address gets at most half the places.
const (
	slots     = 8
	strangers = 38
	floodPort = "2227"
)

// stranger connects under an unknown name, from one of many addresses.
func stranger(t *testing.T, name, from string) *rig.Terminal {
	t.Helper()
	return rig.Open(t, "ssh",
		append([]string{"-p", floodPort, "-b", from}, rig.SSHArgs(name+"@127.0.0.1")...)...)
}

const toldOff = `Too many sign-ins (?:are waiting on this machine|from your address are waiting)\. Try again in a few minutes\.\nCorrelation ID: `

// answered waits until the stranger has a prompt (true), or gets a sentence and is disconnected.
func answered(c *rig.Terminal) bool {
	c.T.Helper()
	said := c.Expect(`Press ENTER when ready\.|` + toldOff)[0]
	if strings.HasPrefix(said, "Press ENTER") {
		return true
	}
	if status, _ := c.End(); status != 255 {
		c.T.Errorf("told off, but not hung up on: exit status %d", status)
	}
	return false
}

// flood lets strangers connect at the same time, and returns those that wait.
func flood(t *testing.T, round string, n int) []*rig.Terminal {
	t.Helper()
	all := make([]*rig.Terminal, n)
	prompted := make([]bool, n)
	for i := range all {
		all[i] = stranger(t, fmt.Sprintf("%s%d@contoso.example", round, i),
			fmt.Sprintf("127.0.0.%d", 2+i%2))
	}
	var each sync.WaitGroup
	for i, c := range all {
		each.Go(func() { prompted[i] = answered(c) })
	}
	each.Wait()
	var wait []*rig.Terminal
	for i, c := range all {
		if prompted[i] {
			wait = append(wait, c)
		}
	}
	return wait
}

// Strangers get as many device codes as there are places, and the others get a sentence. Workers
// that crash give their places back. Neither open sessions nor local users notice.
func TestFlood(t *testing.T) {
	const admin = "admin@contoso.example"
	rig.LocalUser(t)
	key := keyOf(t, "local")
	c := rig.SSH(t, admin)
	c.SignIn(admin)
	c.Expect(`\$ `)
	rig.NobodyWaits(t)
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return fmt.Appendf([]byte(s), "\n[sign_in]\nmax_waiting = %d\n", slots)
	})
	// The last one of this setting counts.
	sshd, err := rig.StartSSHD(floodPort, "-o", "MaxStartups=1000")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		sshd.Process.Kill()
		sshd.Wait()
	}()
	others := func(when string) {
		start := time.Now()
		lives(t, c, admin, key)
		t.Logf("a local user's logins and an administrator's sudo, %s: %v", when,
			time.Since(start).Round(time.Millisecond))
	}
	others("before")

	mark, codes := rig.Syslog.Mark(), rig.Requests("devicecode")
	var during sync.WaitGroup
	during.Go(func() { others("while they come") })
	wait := flood(t, "stranger", strangers)
	during.Wait()
	others("while they wait")
	// Two codes are the administrator's, for sudo: on the machine itself, where the strangers take
	// no places.
	n := rig.Requests("devicecode") - codes - 2
	if len(wait) != slots || n != slots || len(rig.Waiting(t, "remote")) != slots {
		t.Errorf("%d strangers wait in %d places with %d device codes", len(wait), slots, n)
	}
	rig.Syslog.Exactly(t, mark, strangers-slots,
		`: failed reason="too-many-waiting" .*limit="(machine|address)"`)

	for round := range 3 {
		workers := rig.Waiting(t, "remote")
		rand.Shuffle(len(workers), func(i, j int) {
			workers[i], workers[j] = workers[j], workers[i]
		})
		crashed := workers[:1+rand.IntN(slots-1)]
		for _, pid := range crashed {
			unix.Kill(pid, unix.SIGKILL)
			rig.Eventually(t, "the worker is gone", rig.Patience,
				func() bool { return rig.Ended(pid) })
		}
		if n := len(flood(t, fmt.Sprintf("crash%d-", round), slots)); n != len(crashed) {
			t.Errorf("after %d workers crashed, %d strangers more wait", len(crashed), n)
		}
	}
	for _, pid := range rig.Waiting(t, "remote") {
		unix.Kill(pid, unix.SIGKILL)
	}
	rig.NobodyWaits(t)
	if n := len(flood(t, "again", slots)); n != slots {
		t.Errorf("%d of %d places are left", n, slots)
	}
}

// keyOf installs a key for a local user, and returns the path of its private half.
func keyOf(t *testing.T, name string) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	rig.Must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join("/home", name)
	rig.Must(t, "install", "-d", "-o", name, "-m", "700", home+"/.ssh")
	if err := os.WriteFile(home+"/.ssh/authorized_keys", public, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(home + "/.ssh/authorized_keys") })
	return key
}

// lives checks that a local user logs in with a key and with a password, and that sudo works in an
// open session.
func lives(t *testing.T, session *rig.Terminal, admin, key string) {
	t.Helper()
	byKey := rig.Open(t, "ssh", "-p", floodPort, "-F", "none", "-i", key,
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "BatchMode=yes", "local@127.0.0.1", "id -un")
	byKey.Expect(`(?m)^local\n`)
	byPassword := rig.Open(t, "ssh",
		append([]string{"-p", floodPort}, rig.SSHArgs("local@127.0.0.1", "id -un")...)...)
	byPassword.Expect(`[Pp]assword: `)
	byPassword.TypeLine(rig.LocalPassword)
	byPassword.Expect(`(?m)^local\n`)
	session.TypeLine("sudo -k; sudo id -u")
	session.SignIn(admin)
	session.Expect(`(?m)^0\n`)
}

// A local user may type a colleague's name at su any number of times. The colleague can still use
// sudo.
func TestAnotherUserDoesNotBlockSudo(t *testing.T) {
	const admin = "admin@contoso.example"
	rig.LocalUser(t)
	session := rig.SSH(t, admin)
	session.SignIn(admin)
	session.Expect(`\$ `)
	su := func() *rig.Terminal {
		return rig.Open(t, "runuser", "-u", "local", "--", "su", "-", admin)
	}
	for range 4 {
		su().Prompted()
	}
	su().Expect(`Too many sign-ins are waiting for this account`)
	session.TypeLine("sudo -k; sudo id -u")
	session.SignIn(admin)
	session.Expect(`(?m)^0\n`)
}
