// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

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
)

// A flood as of 300 strangers at a machine of 64 places, made smaller. They come from two addresses, because one gets no more
// than half the places.
const (
	slots     = 8
	strangers = 38
	floodPort = "2227"
)

// stranger connects under a name that nobody has, from an address of many.
func stranger(t *testing.T, name, from string) *terminal {
	t.Helper()
	return open(t, "ssh", append([]string{"-p", floodPort, "-b", from}, sshArgs(name+"@127.0.0.1")...)...)
}

const toldOff = `Too many sign-ins (?:are waiting on this machine|from your address are waiting)\. Try again in a few minutes\.\nCorrelation ID: `

// answered waits until the stranger has a prompt (true) or is told off and hung up on.
func (c *terminal) answered() bool {
	c.t.Helper()
	if said := c.expect(`Press ENTER when ready\.|` + toldOff)[0]; strings.HasPrefix(said, "Press ENTER") {
		return true
	}
	if status, _ := c.end(); status != 255 {
		c.t.Errorf("told off, but not hung up on: exit status %d", status)
	}
	return false
}

// flood lets strangers connect all at once and returns those who wait.
func flood(t *testing.T, round string, n int) []*terminal {
	t.Helper()
	all := make([]*terminal, n)
	prompted := make([]bool, n)
	for i := range all {
		all[i] = stranger(t, fmt.Sprintf("%s%d@contoso.example", round, i), fmt.Sprintf("127.0.0.%d", 2+i%2))
	}
	var each sync.WaitGroup
	for i, c := range all {
		each.Go(func() { prompted[i] = c.answered() })
	}
	each.Wait()
	var wait []*terminal
	for i, c := range all {
		if prompted[i] {
			wait = append(wait, c)
		}
	}
	return wait
}

// Strangers get as many device codes as there are places, the others a sentence; workers that crash give their places back; and
// nobody who is signed in or local notices.
func TestFlood(t *testing.T) {
	const admin = "admin@contoso.example"
	localUser(t)
	key := keyOf(t, "local")
	c := ssh(t, admin)
	c.signIn(admin)
	c.expect(`\$ `)
	nobodyWaits(t)
	edit(t, configFile, func(s string) []byte { return fmt.Appendf([]byte(s), "\n[sign_in]\nmax_waiting = %d\n", slots) })
	sshd, err := startSSHD(floodPort, "-o", "MaxStartups=1000") // of this setting, the last counts
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
		t.Logf("a local user's logins and an administrator's sudo, %s: %v", when, time.Since(start).Round(time.Millisecond))
	}
	others("before")

	mark, codes := syslog.mark(), requests("devicecode")
	var during sync.WaitGroup
	during.Go(func() { others("while they come") })
	wait := flood(t, "stranger", strangers)
	during.Wait()
	others("while they wait")
	// Two codes are the administrator's, for sudo: on the machine itself, where the strangers take no places.
	if n := requests("devicecode") - codes - 2; len(wait) != slots || n != slots || len(waiting(t, "remote")) != slots {
		t.Errorf("%d strangers wait in %d places with %d device codes", len(wait), slots, n)
	}
	syslog.exactly(t, mark, strangers-slots, `: failed reason="too-many-waiting" .*limit="(machine|address)"`)

	for round := range 3 {
		workers := waiting(t, "remote")
		rand.Shuffle(len(workers), func(i, j int) { workers[i], workers[j] = workers[j], workers[i] })
		crashed := workers[:1+rand.IntN(slots-1)]
		for _, pid := range crashed {
			unix.Kill(pid, unix.SIGKILL)
			eventually(t, "the worker is gone", patience, func() bool { return ended(pid) })
		}
		if n := len(flood(t, fmt.Sprintf("crash%d-", round), slots)); n != len(crashed) {
			t.Errorf("after %d workers crashed, %d strangers more wait", len(crashed), n)
		}
	}
	for _, pid := range waiting(t, "remote") {
		unix.Kill(pid, unix.SIGKILL)
	}
	nobodyWaits(t)
	if n := len(flood(t, "again", slots)); n != slots {
		t.Errorf("%d of %d places are left", n, slots)
	}
}

// keyOf lets a local user in with a key, and returns the path of its private half.
func keyOf(t *testing.T, name string) string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	must(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join("/home", name)
	must(t, "install", "-d", "-o", name, "-m", "700", home+"/.ssh")
	if err := os.WriteFile(home+"/.ssh/authorized_keys", public, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(home + "/.ssh/authorized_keys") })
	return key
}

// lives: a local user logs in with a key and with a password, and a session that is open has its sudo.
func lives(t *testing.T, session *terminal, admin, key string) {
	t.Helper()
	byKey := open(t, "ssh", "-p", floodPort, "-F", "none", "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "BatchMode=yes", "local@127.0.0.1", "id -un")
	byKey.expect(`(?m)^local\n`)
	byPassword := open(t, "ssh", append([]string{"-p", floodPort}, sshArgs("local@127.0.0.1", "id -un")...)...)
	byPassword.expect(`[Pp]assword: `)
	byPassword.typeLine(localPassword)
	byPassword.expect(`(?m)^local\n`)
	session.typeLine("sudo -k; sudo id -u")
	session.signIn(admin)
	session.expect(`(?m)^0\n`)
}

// Who types a colleague's name at su, as often as they may, does not keep the colleague from sudo.
func TestAnotherUserDoesNotBlockSudo(t *testing.T) {
	const admin = "admin@contoso.example"
	localUser(t)
	session := ssh(t, admin)
	session.signIn(admin)
	session.expect(`\$ `)
	su := func() *terminal { return open(t, "runuser", "-u", "local", "--", "su", "-", admin) }
	for range 4 {
		su().prompted()
	}
	su().expect(`Too many sign-ins are waiting for this account`)
	session.typeLine("sudo -k; sudo id -u")
	session.signIn(admin)
	session.expect(`(?m)^0\n`)
}
