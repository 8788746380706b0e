// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
	"golang.org/x/sys/unix"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// An attempt has exactly one line in the log, however it ends.
func TestOneLine(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	uid := strings.TrimSpace(rig.Must(t, "id", "-u", user))
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
		BeginWith string   // of the line
		has       []string // somewhere in it
	}{
		{name: "signed in", prompt: rig.As(user), BeginWith: "signed-in",
			has: []string{`oid="dddddddd-3333-4444-5555-eeeeeeeeeeee"`, `decision="user"`,
				` role="`, ` scope="/subscriptions/`, ` correlation_id="`, ` uti="`, ` duration="`,
				` source="check-access"`}},
		{name: "authorized", account: true, BeginWith: "authorized",
			has: []string{`oid="dddddddd`, `decision="user"`, ` role="`, ` scope="`}},
		{name: "not authorized", account: true,
			fault:     emulator.Fault{Endpoint: "checkaccess", Status: 503},
			BeginWith: `failed reason="unreachable"`},
		{name: "other account", prompt: rig.As("admin@contoso.example"),
			BeginWith: `denied reason="other-account"`,
			has: []string{`browser_account="admin@contoso.example"`,
				` browser_oid="`, ` uti="`}},
		{name: "declined", prompt: func(code string) error { return rig.Entra.Decline(code) },
			BeginWith: `denied reason="sign-in-refused"`},
		{name: "expired", prompt: func(code string) error { return rig.Entra.Expire(code) },
			BeginWith: `denied reason="expired"`},
		{name: "forged", prompt: rig.As(user), forge: &emulator.Forgery{Sign: emulator.Stranger},
			BeginWith: `denied reason="token-refused"`},
		{name: "no uti", prompt: rig.As(user),
			forge: &emulator.Forgery{Claims: map[string]any{"uti": nil}}, BeginWith: `signed-in`},
		{name: "no role", user: "norole@contoso.example", prompt: rig.As("norole@contoso.example"),
			BeginWith: `denied reason="no-role"`,
			has: []string{`oid="eeeeeeee-4444-5555-6666-ffffffffffff"`,
				` scope="/subscriptions/`, ` uti="`, ` fix="az role assignment create `}},
		{name: "other person of that name", prompt: rig.As(user),
			BeginWith: `denied reason="name-of-another"`,
			forge:     &emulator.Forgery{Claims: map[string]any{"oid": "99999999-9999-9999-9999-999999999999"}}},
		{name: "spelling", user: "User@contoso.example",
			BeginWith: `denied reason="misspelt-name"`},
		{name: "Entra unreachable", fault: emulator.Fault{Endpoint: "devicecode", Reset: true},
			BeginWith: `failed reason="unreachable"`},
		{name: "Azure unreachable", prompt: rig.As(user),
			fault:     emulator.Fault{Endpoint: "checkaccess", Status: 503},
			BeginWith: `failed reason="unreachable"`},
		{name: "Azure refuses to say", prompt: rig.As(user),
			fault:     emulator.Fault{Endpoint: "checkaccess", Status: 403},
			BeginWith: `failed reason="authorization-not-asked"`},
		{name: "configuration", arguments: "config=" + broken,
			BeginWith: `failed reason="configuration-error"`},
		{name: "argument", arguments: `ty"po`, BeginWith: `failed reason="configuration-error"`,
			has: []string{`argument="ty\"po"`}},
		{name: "conversation", prompt: func(string) error { return errors.New("hung up") },
			BeginWith: `failed reason="conversation-failed"`},
		{name: "conversation, after the browser",
			prompt: func(code string) error {
				return errors.Join(rig.As(user)(code), errors.New("hung up"))
			},
			BeginWith: `failed reason="conversation-failed"`},
		{name: "worker killed", prompt: rig.KillWorker, BeginWith: `failed reason="worker-died"`},
		{name: "debug", arguments: "debug", prompt: rig.As(user), BeginWith: "signed-in"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.user == "" {
				test.user = user
			}
			if test.fault.Endpoint != "" {
				rig.Entra.Fail(test.fault)
				defer rig.Entra.Heal()
			}
			rig.Entra.Forge(test.forge)
			defer rig.Entra.Forge(nil)
			h := rig.NewHost(t, test.user, test.arguments)
			if test.prompt != nil {
				h.Prompt = test.prompt
			}
			if err := h.Tx.SetItem(pam.Rhost, "192.0.2.7"); err != nil {
				t.Fatal(err)
			}
			mark := rig.Syslog.Mark()
			phase := h.Tx.Authenticate
			if test.account {
				phase = h.Tx.AcctMgmt
			}
			err := phase(0)
			line := rig.OneLine(t, mark, test.BeginWith)
			if (err == nil) != !strings.Contains(line, " reason=") {
				t.Errorf("%v, and the log says %s", err, line)
			}
			// The host knows this name, and the attempt ended in the door before the name was
			// looked at.
			has := append(test.has, ` account="`+test.user+`"`, ` service="vlock"`,
				` rhost="192.0.2.7"`, ` attempt="`)
			if test.user == user && strings.Contains(line, "duration=") {
				has = append(has, ` uid="`+uid+`"`)
			}
			for _, part := range has {
				if !strings.Contains(line, part) {
					t.Errorf("no %s in %s", part, line)
				}
			}
			checkQuotable(t, h.Told, line)
		})
	}
}

// checkQuotable fails unless the id that a person is told finds the line.
func checkQuotable(t *testing.T, told []string, line string) {
	t.Helper()
	for _, text := range told {
		_, id, found := strings.Cut(text, "\nCorrelation ID: ")
		if !found || !strings.Contains(line, `="`+id+`"`) {
			t.Errorf("told %q, which does not lead to %s", text, line)
		}
	}
}

// The account phase after our own authentication is not another attempt. Neither is a try that sudo
// makes after a final no.
func TestNoLineForTheSameAttempt(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	mark := rig.Syslog.Mark()
	h := rig.NewHost(t, user, "")
	h.Prompt = rig.As(user)
	if err := errors.Join(h.Tx.Authenticate(0), h.Tx.AcctMgmt(0)); err != nil {
		t.Fatal(err)
	}
	rig.OneLine(t, mark, "signed-in")

	mark = rig.Syslog.Mark()
	h = rig.NewHost(t, "norole@contoso.example", "")
	h.Prompt = rig.As("norole@contoso.example")
	for range 3 {
		if err := h.Tx.Authenticate(0); !errors.Is(err, pam.ErrPermDenied) {
			t.Fatal(err)
		}
	}
	rig.OneLine(t, mark, `denied reason="no-role"`)

	mark = rig.Syslog.Mark()
	for _, name := range []string{"root", "nobody-knows", "user@foreign.example"} {
		if err := rig.NewHost(t, name, "").Tx.Authenticate(0); !errors.Is(err, pam.ErrUserUnknown) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rig.Syslog.Exactly(t, mark, 0, "") // of names that are none of ours
}

// A person who leaves while the prompt waits leaves a line, whatever ends the host, before and
// after the browser is done.
func TestLineOfWhoLeaves(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	leave := map[string]func(*rig.Terminal){
		"client killed": func(c *rig.Terminal) { c.Cmd.Process.Kill() },
		"client killed after the browser": func(c *rig.Terminal) {
			page, code := c.Prompted()
			polls := rig.Requests("checkaccess")
			rig.Browse(t, page, code, user)
			rig.Eventually(t, "the sign-in is authorized", rig.Patience,
				func() bool { return rig.Requests("checkaccess") > polls })
			c.Cmd.Process.Kill()
		},
	}
	for name, leave := range leave {
		t.Run(name, func(t *testing.T) {
			mark := rig.Syslog.Mark()
			c := rig.SSH(t, user)
			if !strings.Contains(name, "browser") {
				c.Prompted()
			}
			leave(c)
			line := rig.OneLine(t, mark, `failed reason="interrupted"`)
			const who = ` account="user@contoso.example" service="sshd" rhost="127.0.0.1" attempt="`
			if !strings.HasPrefix(line, "<85>") || !strings.Contains(line, who) {
				t.Errorf("%s", line)
			}
			rig.Eventually(t, "no process of the attempt is left", rig.Patience,
				func() bool { return rig.SSHDProcesses(t) == 1 })
			rig.OneLine(t, mark, `failed reason="interrupted"`)
		})
	}
	t.Run("Ctrl-C", func(t *testing.T) {
		mark := rig.Syslog.Mark()
		c := rig.Open(t, "setpriv", "--reuid=65534", "--clear-groups", "su", "-", user)
		c.Prompted()
		c.TypeLine("\x03")
		rig.OneLine(t, mark, `failed reason="interrupted"`)
	})
	t.Run("Ctrl-C after an early ENTER", func(t *testing.T) {
		mark := rig.Syslog.Mark()
		c := rig.Open(t, "setpriv", "--reuid=65534", "--clear-groups", "su", "-", user)
		c.Prompted()
		c.TypeLine("")
		rig.Polled(t)
		c.TypeLine("\x03")
		rig.OneLine(t, mark, `failed reason="interrupted"`)
	})
	t.Run("LoginGraceTime", func(t *testing.T) {
		const port = "2224"
		sshd, err := rig.StartSSHD(port)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			sshd.Process.Kill()
			sshd.Wait()
		}()
		rig.NobodyWaits(t)
		mark := rig.Syslog.Mark()
		_, p := rig.WaitingAt(t, port, user) // ssh itself does not notice until it has read a line
		unix.Kill(p.Monitor, unix.SIGALRM)
		rig.OneLine(t, mark, `failed reason="interrupted"`)
	})
}
