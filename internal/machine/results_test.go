// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
	"golang.org/x/sys/unix"

	"aadlogin/internal/emulator"
)

// host is a PAM application of our own, to see what no other shows: each return code, and the moment of each message.
type host struct {
	t       testing.TB
	tx      *pam.Transaction
	prompt  func(code string) error // answers a device code prompt with ENTER
	told    []string
	prompts []string
}

// newHost starts a transaction whose stack is this module alone, with these arguments.
func newHost(t testing.TB, user, arguments string) *host {
	t.Helper()
	return newHostFor(t, "vlock", user, arguments)
}

// newHostFor is newHost under the name of a PAM service.
func newHostFor(t testing.TB, service, user, arguments string) *host {
	t.Helper()
	dir := t.TempDir()
	stack := fmt.Sprintf("auth required pam_aad.so %s\naccount required pam_aad.so %[1]s\n", arguments)
	if err := os.WriteFile(filepath.Join(dir, service), []byte(stack), 0o644); err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, prompt: func(string) error { return errors.New("no prompt expected") }}
	tx, err := pam.StartConfDir(service, user, h, dir)
	if err != nil {
		t.Fatal(err)
	}
	h.tx = tx
	t.Cleanup(func() { tx.End() })
	return h
}

var deviceCode = regexp.MustCompile(`enter the code ([A-Z0-9]{9}) to`)

// RespondPAM is the conversation.
func (h *host) RespondPAM(style pam.Style, text string) (string, error) {
	if style != pam.PromptEchoOn {
		h.told = append(h.told, text)
		return "", nil
	}
	h.prompts = append(h.prompts, text)
	m := deviceCode.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("a prompt without a device code: %q", text)
	}
	return "", h.prompt(m[1])
}

// as answers prompts by signing in with the browser.
func as(account string) func(string) error {
	return func(code string) error { return entra.SignIn(code, account) }
}

// Every row of the table of results: what the module returns to its host.
func TestResults(t *testing.T) {
	stored(t, "user@contoso.example")
	broken := filepath.Join(t.TempDir(), "broken.toml")
	if err := os.WriteFile(broken, []byte("tenant_id = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const user = "user@contoso.example"
	for _, test := range []struct {
		name      string
		user      string
		arguments string
		prompt    func(string) error
		fault     emulator.Fault
		forge     *emulator.Forgery
		want      error
		says      string
	}{
		{name: "signed in", prompt: as(user)},
		{name: "foreign domain", user: "user@foreign.example", want: pam.ErrUserUnknown},
		{name: "local user", user: "root", want: pam.ErrUserUnknown},
		{name: "no such name", user: "nobody-knows", want: pam.ErrUserUnknown},
		{name: "other account", prompt: as("admin@contoso.example"), want: pam.ErrAuth, says: "This sign-in is for user@contoso.example"},
		{name: "declined", prompt: func(code string) error { return entra.Decline(code) }, want: pam.ErrAuth, says: "declined"},
		{name: "expired", prompt: func(code string) error { return entra.Expire(code) }, want: pam.ErrAuth, says: "Try again"},
		{name: "forged token", prompt: as(user), forge: &emulator.Forgery{Sign: emulator.Stranger}, want: pam.ErrAuth, says: "could not be trusted"},
		{name: "unsigned token", prompt: as(user), forge: &emulator.Forgery{Sign: emulator.None}, want: pam.ErrAuth, says: "could not be trusted"},
		{name: "other person of that name", prompt: as(user), want: pam.ErrPermDenied, says: "belongs to somebody else",
			forge: &emulator.Forgery{Claims: map[string]any{"oid": "99999999-9999-9999-9999-999999999999"}}},
		{name: "no role", user: "norole@contoso.example", prompt: as("norole@contoso.example"), want: pam.ErrPermDenied, says: deniedSentence},
		{name: "upper case", user: "User@contoso.example", want: pam.ErrPermDenied, says: "spelled user@contoso.example"},
		{name: "Entra unreachable", fault: emulator.Fault{Endpoint: "devicecode", Reset: true}, want: pam.ErrAuthinfoUnavail, says: "cannot be reached"},
		{name: "Azure unreachable", prompt: as(user), fault: emulator.Fault{Endpoint: "checkaccess", Status: 503}, want: pam.ErrAuthinfoUnavail, says: "cannot be reached"},
		{name: "Azure refuses to say", prompt: as(user), fault: emulator.Fault{Endpoint: "checkaccess", Status: 403}, want: pam.ErrAuthinfoUnavail, says: "does not let it ask"},
		{name: "metadata unreachable", fault: emulator.Fault{Endpoint: "metadata", Reset: true}, want: pam.ErrAuthinfoUnavail, says: "metadata service"},
		{name: "conversation failed", prompt: func(string) error { return errors.New("hung up") }, want: pam.ErrConv},
		{name: "broken configuration", arguments: "config=" + broken, want: pam.ErrService, says: "not configured correctly"},
		{name: "missing configuration", arguments: "config=/nonexistent", want: pam.ErrService, says: "not configured correctly"},
		{name: "unknown argument", arguments: "typo", want: pam.ErrService},
		{name: "wrong client", fault: emulator.Fault{Endpoint: "devicecode", Status: 400, Error: "unauthorized_client", AADSTS: 700016}, want: pam.ErrService, says: "client_id names no application"},
		{name: "worker killed", prompt: killWorker, want: pam.ErrSystem},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.user == "" {
				test.user = user
			}
			if test.fault.Endpoint != "" {
				must(t, "rm", "-rf", "/var/cache/aad-login")
				entra.Fail(test.fault)
				defer entra.Heal()
			}
			entra.Forge(test.forge)
			defer entra.Forge(nil)
			h := newHost(t, test.user, test.arguments)
			if test.prompt != nil {
				h.prompt = test.prompt
			}
			mark := syslog.mark()
			err := h.tx.Authenticate(0)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("returned %v, want %v; told %q; log %q", err, test.want, h.told, syslog.find(mark, ""))
			}
			if test.says != "" && !strings.Contains(strings.Join(h.told, "\n"), test.says) {
				t.Errorf("told %q, not %q", h.told, test.says)
			}
			if workers(t) != nil {
				t.Error("a worker outlives its sign-in")
			}
		})
	}
}

// The module argument debug logs every step, and no secret.
func TestDebug(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	mark := syslog.mark()
	h := newHost(t, user, "debug")
	var shown string
	h.prompt = func(code string) error {
		shown = code
		return entra.SignIn(code, user)
	}
	if err := h.tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"endpoints", "browser", "token"} {
		syslog.exactly(t, mark, 1, `step account="user@contoso\.example" .*step="`+step+`"`)
	}
	syslog.exactly(t, mark, 0, shown) // the code
}

// The account phase of the handle that has just signed in asks nobody; without that, it asks Azure.
func TestAccountPhase(t *testing.T) {
	const user = "user@contoso.example"
	stored(t, user)
	h := newHost(t, user, "")
	h.prompt = as(user)
	if err := h.tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	before := requests("checkaccess")
	if err := h.tx.AcctMgmt(0); err != nil || requests("checkaccess") != before {
		t.Errorf("after our authentication: %v, %d questions", err, requests("checkaccess")-before)
	}

	h.prompt = func(code string) error { return entra.Decline(code) }
	if err := h.tx.Authenticate(0); !errors.Is(err, pam.ErrAuth) {
		t.Fatal(err)
	}
	before = requests("checkaccess")
	if err := h.tx.AcctMgmt(0); err != nil || requests("checkaccess") == before {
		t.Errorf("after a sign-in that failed: %v, %d questions", err, requests("checkaccess")-before)
	}

	h = newHost(t, user, "")
	before = requests("checkaccess")
	if err := h.tx.AcctMgmt(0); err != nil || requests("checkaccess") == before {
		t.Errorf("without our authentication: %v, %d questions", err, requests("checkaccess")-before)
	}
	for _, test := range []struct {
		name  string
		fault emulator.Fault
		want  error
	}{
		{"Azure cannot be asked", emulator.Fault{Endpoint: "checkaccess", Reset: true}, pam.ErrAuthinfoUnavail},
		{"role taken away", emulator.Fault{}, pam.ErrPermDenied},
	} {
		if test.fault.Endpoint != "" {
			entra.Fail(test.fault)
		} else {
			revoke(t, user)
		}
		if err := newHost(t, user, "").tx.AcctMgmt(0); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		entra.Heal()
	}
}

// With a grant lifetime the last grant stands in for an Azure that cannot be asked, until somebody has said no.
func TestGrantLifetime(t *testing.T) {
	const user = "user@contoso.example"
	edit(t, configFile, func(s string) []byte { return []byte(s + "\n[authorization]\ngrant_lifetime = \"1h\"\n") })
	h := newHost(t, user, "")
	h.prompt = as(user)
	if err := h.tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	unreachable := func() error {
		entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
		defer entra.Heal()
		return newHost(t, user, "").tx.AcctMgmt(0)
	}
	if err := unreachable(); err != nil {
		t.Errorf("with a fresh grant: %v", err)
	}
	revoke(t, user)
	if err := newHost(t, user, "").tx.AcctMgmt(0); !errors.Is(err, pam.ErrPermDenied) {
		t.Errorf("revoked: %v", err)
	}
	if err := unreachable(); !errors.Is(err, pam.ErrAuthinfoUnavail) {
		t.Errorf("an old grant outlived a denial: %v", err)
	}
}

// revoke takes all roles of an account away for the rest of the test.
func revoke(t *testing.T, user string) {
	t.Helper()
	var before []emulator.Assignment
	err := entra.Update(func(d *emulator.Directory) {
		before = d.Assignments
		var kept []emulator.Assignment
		for _, a := range d.Assignments {
			if a.Principal != user {
				kept = append(kept, a)
			}
		}
		d.Assignments = kept
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := entra.Update(func(d *emulator.Directory) { d.Assignments = before }); err != nil {
			t.Fatal(err)
		}
	})
}

// An administrator who has lost the role loses the group at once, and sudo in the session that still has it, every time.
func TestDemotion(t *testing.T) {
	const admin = "admin@contoso.example"
	c := ssh(t, admin)
	c.signIn(admin)
	c.expect(`\$ `)
	var before []emulator.Assignment
	if err := entra.Update(func(d *emulator.Directory) {
		before = d.Assignments
		d.Assignments = append([]emulator.Assignment{{Principal: admin, Role: "Virtual Machine User Login", Scope: d.Machine.ResourceID}}, before[0])
	}); err != nil {
		t.Fatal(err)
	}
	defer entra.Update(func(d *emulator.Directory) { d.Assignments = before })
	for range 2 {
		c.typeLine("sudo -k; sudo id -u")
		c.signIn(admin)
		c.expect(`admin@contoso\.example is no longer an administrator of this machine\.`)
		c.expect(`3 incorrect password attempts`)
		if groups := must(t, "id", "-Gn", admin); strings.Contains(groups, "aad_admins") {
			t.Errorf("groups %s", groups)
		}
	}
	if strings.Contains(c.all(), "\n0\n") {
		t.Error("sudo ran")
	}
}

// The module loads into a process without starting a thread, running Go or changing a limit.
func TestLoadingIsQuiet(t *testing.T) {
	const probe = `
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <sys/resource.h>

static int threads(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/task");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	struct rlimit before, after;
	int n = threads();
	getrlimit(RLIMIT_NOFILE, &before);
	if (argc < 2 || !dlopen(argv[1], RTLD_NOW))
		return fprintf(stderr, "%s\n", dlerror()), 2;
	getrlimit(RLIMIT_NOFILE, &after);
	return threads() != n || before.rlim_cur != after.rlim_cur;
}
`
	program := filepath.Join(t.TempDir(), "probe")
	if out, status := command(t, probe, "gcc", "-x", "c", "-o", program, "-"); status != 0 {
		t.Fatal(out)
	}
	must(t, program, fileAt(t, "/lib/*/security/pam_aad.so"))
}

// workers lists the module's processes for hosts in this one, while they wait.
func workers(t testing.TB) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // gone meanwhile
		}
		pid, rest, _ := strings.Cut(string(text), " (")
		fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
		exe, _ := os.Readlink("/proc/" + pid + "/exe")
		own, _ := os.Executable()
		if fields[1] == strconv.Itoa(os.Getpid()) && fields[0] != "Z" && exe == own {
			n, _ := strconv.Atoi(pid)
			all = append(all, behindGuard(n)...)
		}
	}
	return all
}

// killWorker is a prompt during which the worker crashes.
func killWorker(string) error {
	for _, pid := range workersOf() {
		unix.Kill(pid, unix.SIGKILL)
	}
	return nil
}

func workersOf() []int { return workers(&testing.B{}) }
