// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"crypto/rand"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/msteinert/pam/v2"
	"golang.org/x/sys/unix"

	"aadlogin/internal/emulator"
)

// ending begins the one line of an attempt.
var ending = regexp.MustCompile(`: (signed-in|authorized|denied|failed) `)

// lines are what the log has of attempts from mark on, once there is one.
func lines(t *testing.T, mark int) []string {
	t.Helper()
	var found []string
	eventually(t, "the log has a line", patience, func() bool {
		found = syslog.find(mark, ending.String())
		return len(found) > 0
	})
	syslog.settle(t)
	return syslog.find(mark, ending.String())
}

// settle waits until all has been read that was written by now: a socket keeps the order.
func (j *journal) settle(t *testing.T) {
	t.Helper()
	c, err := net.Dial("unixgram", "/dev/log")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	end := rand.Text()
	if _, err := c.Write([]byte(end)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log is read", patience, func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		return slices.Contains(j.lines, end)
	})
}

// exactly waits for so many of the module's lines that match, from mark on, and for all that was written by then: no more.
func (j *journal) exactly(t *testing.T, mark, n int, pattern string) []string {
	t.Helper()
	for end := time.Now().Add(patience); len(j.find(mark, pattern)) < n && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	j.settle(t)
	found := j.find(mark, pattern)
	if len(found) != n {
		t.Errorf("%d lines %s, want %d; log: %q", len(found), pattern, n, j.find(mark, ""))
	}
	return found
}

// one is the line of the one attempt since mark.
func one(t *testing.T, mark int, begin string) string {
	t.Helper()
	all := lines(t, mark)
	if len(all) != 1 || !strings.Contains(all[0], ": "+begin+" ") {
		t.Fatalf("want one line, %s; got %q", begin, all)
	}
	return all[0]
}

// An attempt has exactly one line in the log, however it ends.
func TestOneLine(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	uid := strings.TrimSpace(must(t, "id", "-u", user))
	broken := filepath.Join(t.TempDir(), "broken.toml")
	if err := os.WriteFile(broken, []byte("tenant_id = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		user      string
		arguments string
		account   bool // the account phase alone
		prompt    func(string) error
		fault     emulator.Fault
		forge     *emulator.Forgery
		begin     string   // of the line
		has       []string // somewhere in it
	}{
		{name: "signed in", prompt: as(user), begin: "signed-in", has: []string{`oid="dddddddd-3333-4444-5555-eeeeeeeeeeee"`, `decision="user"`,
			` role="`, ` scope="/subscriptions/`, ` correlation_id="`, ` uti="`, ` duration="`, ` source="check-access"`}},
		{name: "authorized", account: true, begin: "authorized", has: []string{`oid="dddddddd`, `decision="user"`, ` role="`, ` scope="`}},
		{name: "not authorized", account: true, fault: emulator.Fault{Endpoint: "checkaccess", Status: 503},
			begin: `failed reason="unreachable"`},
		{name: "other account", prompt: as("admin@contoso.example"), begin: `denied reason="other-account"`,
			has: []string{`browser_account="admin@contoso.example"`, ` browser_oid="`, ` uti="`}},
		{name: "declined", prompt: func(code string) error { return entra.Decline(code) },
			begin: `denied reason="sign-in-refused"`},
		{name: "expired", prompt: func(code string) error { return entra.Expire(code) }, begin: `denied reason="expired"`},
		{name: "forged", prompt: as(user), forge: &emulator.Forgery{Sign: emulator.Stranger},
			begin: `denied reason="token-refused"`},
		{name: "no uti", prompt: as(user), forge: &emulator.Forgery{Claims: map[string]any{"uti": nil}}, begin: `signed-in`},
		{name: "no role", user: "norole@contoso.example", prompt: as("norole@contoso.example"),
			begin: `denied reason="no-role"`,
			has:   []string{`oid="eeeeeeee-4444-5555-6666-ffffffffffff"`, ` scope="/subscriptions/`, ` uti="`, ` fix="az role assignment create `}},
		{name: "other person of that name", prompt: as(user), begin: `denied reason="name-of-another"`,
			forge: &emulator.Forgery{Claims: map[string]any{"oid": "99999999-9999-9999-9999-999999999999"}}},
		{name: "spelling", user: "User@contoso.example", begin: `denied reason="misspelt-name"`},
		{name: "Entra unreachable", fault: emulator.Fault{Endpoint: "devicecode", Reset: true},
			begin: `failed reason="unreachable"`},
		{name: "Azure unreachable", prompt: as(user), fault: emulator.Fault{Endpoint: "checkaccess", Status: 503},
			begin: `failed reason="unreachable"`},
		{name: "Azure refuses to say", prompt: as(user), fault: emulator.Fault{Endpoint: "checkaccess", Status: 403},
			begin: `failed reason="authorization-not-asked"`},
		{name: "configuration", arguments: "config=" + broken, begin: `failed reason="configuration-error"`},
		{name: "argument", arguments: `ty"po`, begin: `failed reason="configuration-error"`,
			has: []string{`argument="ty\"po"`}},
		{name: "conversation", prompt: func(string) error { return errors.New("hung up") },
			begin: `failed reason="conversation-failed"`},
		{name: "conversation, after the browser", prompt: func(code string) error { return errors.Join(as(user)(code), errors.New("hung up")) },
			begin: `failed reason="conversation-failed"`},
		{name: "worker killed", prompt: killWorker, begin: `failed reason="worker-died"`},
		{name: "debug", arguments: "debug", prompt: as(user), begin: "signed-in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.user == "" {
				test.user = user
			}
			if test.fault.Endpoint != "" {
				entra.Fail(test.fault)
				defer entra.Heal()
			}
			entra.Forge(test.forge)
			defer entra.Forge(nil)
			h := newHost(t, test.user, test.arguments)
			if test.prompt != nil {
				h.prompt = test.prompt
			}
			if err := h.tx.SetItem(pam.Rhost, "192.0.2.7"); err != nil {
				t.Fatal(err)
			}
			mark := syslog.mark()
			phase := h.tx.Authenticate
			if test.account {
				phase = h.tx.AcctMgmt
			}
			err := phase(0)
			line := one(t, mark, test.begin)
			if (err == nil) != !strings.Contains(line, " reason=") {
				t.Errorf("%v, and the log says %s", err, line)
			}
			// Of a name that the host knows, and of an attempt that ended before the name was looked at, in the door.
			has := append(test.has, ` account="`+test.user+`"`, ` service="vlock"`, ` rhost="192.0.2.7"`, ` attempt="`)
			if test.user == user && strings.Contains(line, "duration=") {
				has = append(has, ` uid="`+uid+`"`)
			}
			for _, part := range has {
				if !strings.Contains(line, part) {
					t.Errorf("no %s in %s", part, line)
				}
			}
			checkQuotable(t, h.told, line)
		})
	}
}

// checkQuotable: the id a person is told finds the line.
func checkQuotable(t *testing.T, told []string, line string) {
	t.Helper()
	for _, text := range told {
		_, id, found := strings.Cut(text, "\nCorrelation ID: ")
		if !found || !strings.Contains(line, `="`+id+`"`) {
			t.Errorf("told %q, which does not lead to %s", text, line)
		}
	}
}

// The account phase after our own authentication is not another attempt, and neither is a try that sudo makes after a final no.
func TestNoLineForTheSameAttempt(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	mark := syslog.mark()
	h := newHost(t, user, "")
	h.prompt = as(user)
	if err := errors.Join(h.tx.Authenticate(0), h.tx.AcctMgmt(0)); err != nil {
		t.Fatal(err)
	}
	one(t, mark, "signed-in")

	mark = syslog.mark()
	h = newHost(t, "norole@contoso.example", "")
	h.prompt = as("norole@contoso.example")
	for range 3 {
		if err := h.tx.Authenticate(0); !errors.Is(err, pam.ErrPermDenied) {
			t.Fatal(err)
		}
	}
	one(t, mark, `denied reason="no-role"`)

	mark = syslog.mark()
	for _, name := range []string{"root", "nobody-knows", "user@foreign.example"} {
		if err := newHost(t, name, "").tx.Authenticate(0); !errors.Is(err, pam.ErrUserUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	syslog.exactly(t, mark, 0, "") // of names that are none of ours
}

// Whoever leaves while the prompt waits leaves a line, whatever ends the host, and whether the browser is done or not.
func TestLineOfWhoLeaves(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	leave := map[string]func(*terminal){
		"client killed": func(c *terminal) { c.cmd.Process.Kill() },
		"client killed after the browser": func(c *terminal) {
			page, code := c.prompted()
			polls := requests("checkaccess")
			browse(t, page, code, user)
			eventually(t, "the sign-in is authorized", patience, func() bool { return requests("checkaccess") > polls })
			c.cmd.Process.Kill()
		},
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			mark := syslog.mark()
			c := ssh(t, user)
			if !strings.Contains(name, "browser") {
				c.prompted()
			}
			leave(c)
			line := one(t, mark, `failed reason="interrupted"`)
			const who = ` account="user@contoso.example" service="sshd" rhost="127.0.0.1" attempt="`
			if !strings.HasPrefix(line, "<85>") || !strings.Contains(line, who) {
				t.Errorf("%s", line)
			}
			eventually(t, "no process of the attempt is left", patience, func() bool { return sshdProcesses(t) == 1 })
			one(t, mark, `failed reason="interrupted"`)
		})
	}
	t.Run("Ctrl-C", func(t *testing.T) {
		mark := syslog.mark()
		c := open(t, "setpriv", "--reuid=65534", "--clear-groups", "su", "-", user)
		c.prompted()
		c.typeLine("\x03")
		one(t, mark, `failed reason="interrupted"`)
	})
	t.Run("Ctrl-C after an early ENTER", func(t *testing.T) {
		mark := syslog.mark()
		c := open(t, "setpriv", "--reuid=65534", "--clear-groups", "su", "-", user)
		c.prompted()
		c.typeLine("")
		polled(t)
		c.typeLine("\x03")
		one(t, mark, `failed reason="interrupted"`)
	})
	t.Run("LoginGraceTime", func(t *testing.T) {
		const port = "2224"
		sshd, err := startSSHD(port)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			sshd.Process.Kill()
			sshd.Wait()
		}()
		nobodyWaits(t)
		mark := syslog.mark()
		_, p := waitingAt(t, port, user) // ssh itself does not notice until it has read a line
		unix.Kill(p.monitor, unix.SIGALRM)
		one(t, mark, `failed reason="interrupted"`)
	})
}
