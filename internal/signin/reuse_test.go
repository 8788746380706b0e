// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

const tenMinutes = "sign_in.reuse_window = \"10m\"\n"

// afterBrowser returns a machine where user has just signed in over sshd.
func afterBrowser(t *testing.T, lines string) *machine {
	t.Helper()
	m := newMachine(t, lines)
	m.browser(m.request(user))
	return m
}

func (m *machine) browser(req Request) {
	m.t.Helper()
	got, conv := m.signIn(req, req.User)
	ended(m.t, got, conv, Success, "", "signed-in")
	if len(conv.prompts) != 1 {
		m.t.Fatalf("%d prompts for a sign-in with the browser", len(conv.prompts))
	}
}

// silent runs an attempt whose person opens no browser, and returns whether a code was shown.
func (m *machine) silent(req Request) (verdict Verdict, conv *said, asked bool) {
	m.t.Helper()
	verdict, conv = m.run(req, m.entra.Decline)
	return verdict, conv, len(conv.prompts) > 0
}

func TestReuse(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	m.entra.Fail(emulator.Fault{Endpoint: "openid", Reset: true}) // nobody asks Entra
	before := m.requests("checkaccess")
	for range 3 {
		got, conv, asked := m.silent(m.request(user))
		ended(t, got, conv, Success, "", "signed-in")
		line := strings.Join(conv.logged, "\n")
		if asked || !strings.Contains(line, `role="`) ||
			!strings.Contains(line, `scope="/subscriptions/`) {
			t.Errorf("asked %v, logged %q", asked, conv.logged)
		}
	}
	if n := m.requests("checkaccess") - before; n != 3 {
		t.Errorf("Azure was asked %d times, want 3", n)
	}
}

// The log names the sign-in with the browser, even after a reuse.
func TestReuseIsLogged(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	for range 2 {
		req := m.request(user)
		req.Attempt = stranger
		got, conv, _ := m.silent(req)
		ended(t, got, conv, Success, "", `6 signed-in reason="reuse" account="`+user+`" uid="`+
			fmt.Sprint(m.firstID(user))+`" oid="`+userOID+`"`)
		ended(t, got, conv, Success, "", ` attempt="`+stranger+`" reuse_attempt="`+
			ofOurs+`" reuse_time="20`)
		ended(t, got, conv, Success, "", ` reuse_rhost="192.0.2.7"`)
	}
}

// Another account, another address or another class of services needs a code.
func TestNoReuse(t *testing.T) {
	for name, change := range map[string]func(*machine, *Request){
		"another address":      func(_ *machine, r *Request) { r.RemoteHost = "192.0.2.8" },
		"the same, written so": func(_ *machine, r *Request) { r.RemoteHost = "::ffff:192.0.2.7" },
		"another name":         func(_ *machine, r *Request) { r.User = admin },
		"the console":          func(_ *machine, r *Request) { r.Service = "login" },
		"sudo":                 func(_ *machine, r *Request) { r.Service = "sudo" },
		"an unknown service":   func(_ *machine, r *Request) { r.Service = "cockpit" },
		"without a service":    func(_ *machine, r *Request) { r.Service = "" },
		"switched off":         func(m *machine, _ *Request) { m.edit(tenMinutes, "") },
		"another window":       func(m *machine, _ *Request) { m.edit(`"10m"`, `"1h"`) },
		"another application": func(m *machine, _ *Request) {
			m.edit(emulator.Contoso().ClientID, stranger)
		},
		"another domain": func(m *machine, _ *Request) {
			m.edit(`["contoso.example"]`, `["contoso.example", "fabrikam.example"]`)
		},
		"later": func(m *machine, _ *Request) {
			m.ahead.Store(int64(10*time.Minute + time.Second))
		},
		"before": func(m *machine, _ *Request) { m.ahead.Store(-int64(time.Minute)) },
		"later, with the clock stepped back": func(m *machine, _ *Request) {
			m.signin.Uptime = func() (string, time.Duration) {
				boot, up := uptime()
				return boot, up + 11*time.Minute
			}
		},
		"after a reboot": func(m *machine, _ *Request) {
			m.signin.Uptime = func() (string, time.Duration) { return "other", time.Minute }
		},
		"without a boot id": func(m *machine, _ *Request) {
			m.signin.Uptime = func() (string, time.Duration) { return "", 0 }
		},
		"a damaged file":     func(m *machine, _ *Request) { m.write(m.windows(user), "[{") },
		"somebody's windows": func(m *machine, _ *Request) { m.forge(userOID, stranger) },
		"another tenant's":   func(m *machine, _ *Request) { m.forge(m.rules.TenantID, stranger) },
		"another uid's": func(m *machine, _ *Request) {
			m.forge(fmt.Sprintf(`"uid":%d`, m.firstID(user)),
				fmt.Sprintf(`"uid":%d`, m.firstID(user)+1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := afterBrowser(t, tenMinutes)
			req := m.request(user)
			change(m, &req)
			got, conv, asked := m.silent(req)
			if !asked && name != "another application" || got == Success {
				t.Errorf("verdict %d, asked %v, logged %q", got, asked, conv.logged)
			}
		})
	}
}

func (m *machine) windows(name string) string {
	return filepath.Join(m.signin.RuntimeDir, "windows",
		strconv.FormatUint(uint64(m.firstID(name)), 10))
}

// forge replaces text in the windows of user.
func (m *machine) forge(old, new string) {
	m.t.Helper()
	m.replace(m.windows(user), old, new)
}

// edit replaces text in the configuration.
func (m *machine) edit(old, new string) {
	m.t.Helper()
	m.replace(m.config, old, new)
}

func (m *machine) replace(path, old, new string) {
	m.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		m.t.Fatalf("%s has no %q: %v", path, old, err)
	}
	m.write(path, strings.Replace(string(text), old, new, 1))
}

// If reuse is switched off, /run holds nothing about anybody.
func TestNoReuseRecordsNothing(t *testing.T) {
	m := afterBrowser(t, "")
	if _, err := os.Lstat(m.signin.RuntimeDir); !os.IsNotExist(err) {
		t.Errorf("the runtime directory is there: %v", err)
	}
}

// The window counts from the browser sign-in, not from its last use.
func TestReuseDoesNotExtend(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	for _, minutes := range []time.Duration{6, 9} {
		m.ahead.Store(int64(minutes * time.Minute))
		if got, conv, asked := m.silent(m.request(user)); got != Success || asked {
			t.Fatalf("after %d minutes: verdict %d, asked %v, logged %q",
				minutes, got, asked, conv.logged)
		}
	}
	m.ahead.Store(int64(11 * time.Minute))
	if got, _, asked := m.silent(m.request(user)); got == Success || !asked {
		t.Errorf("after 11 minutes: verdict %d, asked %v", got, asked)
	}
}

// Azure is asked every time, and its no is final: it closes all windows, so a role that comes back
// finds none.
func TestReuseAfterTheRole(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	other := m.request(user)
	other.RemoteHost = "192.0.2.8"
	m.browser(other)
	m.assign(user, "")
	got, conv, asked := m.silent(m.request(user))
	ended(t, got, conv, Denied, "Access denied:", "denied")
	if asked {
		t.Error("a code for somebody without a role")
	}
	m.assign(user, "Virtual Machine User Login")
	for _, req := range []Request{m.request(user), other} {
		if got, conv, asked := m.silent(req); got == Success || !asked {
			t.Errorf("%s: verdict %d, asked %v, logged %q", req.RemoteHost, got, asked, conv.logged)
		}
	}
}

// A denial of a login by key closes them, too.
func TestReuseAfterADeniedKey(t *testing.T) {
	m := afterBrowser(t, tenMinutes)
	m.assign(user, "")
	got, conv := m.again(m.request(user))
	ended(t, got, conv, Denied, "Access denied:", "denied")
	m.assign(user, "Virtual Machine User Login")
	if got, _, asked := m.silent(m.request(user)); got == Success || !asked {
		t.Errorf("verdict %d, asked %v", got, asked)
	}
}

// The administrator's role is asked for again as well.
func TestReuseAsFormerAdministrator(t *testing.T) {
	m := newMachine(t, tenMinutes+"sign_in.admin_services = [\"login\"]\n")
	req := m.request(admin)
	req.Service = "login"
	m.browser(req)
	m.assign(admin, "Virtual Machine User Login")
	got, conv, asked := m.silent(req)
	ended(t, got, conv, Denied, "loginAsAdmin", "denied")
	if asked || m.stored(admin).Admin {
		t.Errorf("asked %v, still administrator %v", asked, m.stored(admin).Admin)
	}
}

// If Azure cannot be asked, nobody is let in, and no grant stands in.
func TestReuseWithoutAzure(t *testing.T) {
	for _, endpoint := range []string{"checkaccess", "identity", "instance"} {
		t.Run(endpoint, func(t *testing.T) {
			m := afterBrowser(t, tenMinutes+"authorization.grant_lifetime = \"1h\"\n")
			if endpoint == "instance" {
				m.ahead.Add(int64(metadataAge))
			}
			m.entra.Fail(emulator.Fault{Endpoint: endpoint, Status: 503})
			got, conv, asked := m.silent(m.request(user))
			ended(t, got, conv, Unreachable, "cannot be reached", "unreachable")
			if asked {
				t.Error("asked for a code")
			}
			m.entra.Heal()
			if got, _, asked := m.silent(m.request(user)); got != Success || asked {
				t.Errorf("healed: verdict %d, asked %v", got, asked)
			}
		})
	}
}

// A reuse takes no slot, so a full waiting room does not keep it out.
func TestReuseTakesNoSlot(t *testing.T) {
	m := afterBrowser(t, tenMinutes+"sign_in.max_waiting = 1")
	other := m.request(user)
	other.RemoteHost = "192.0.2.8"
	m.run(other, func(code string) error {
		if got, conv, asked := m.silent(m.request(user)); got != Success || asked {
			t.Errorf("verdict %d, asked %v, told %q", got, asked, conv.told)
		}
		return m.entra.Decline(code)
	})
}

// If nothing can be written, the sign-in still succeeds, and the log says why the next one needs a
// code.
func TestReuseNotRecorded(t *testing.T) {
	m := newMachine(t, tenMinutes)
	m.write(m.signin.RuntimeDir, "in the way")
	got, conv := m.signIn(m.request(user), user)
	ended(t, got, conv, Success, "", "reuse-not-recorded")
	if got, _, asked := m.silent(m.request(user)); got == Success || !asked {
		t.Errorf("verdict %d, asked %v", got, asked)
	}
}
