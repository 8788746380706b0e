// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// Every row of the table of results: what the module returns to its host.
func TestResults(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
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
		{name: "signed in", prompt: rig.As(user)},
		{name: "foreign domain", user: "user@foreign.example", want: pam.ErrUserUnknown},
		{name: "local user", user: "root", want: pam.ErrUserUnknown},
		{name: "no such name", user: "nobody-knows", want: pam.ErrUserUnknown},
		{name: "other account", prompt: rig.As("admin@contoso.example"), want: pam.ErrAuth,
			says: "This sign-in is for user@contoso.example"},
		{name: "declined", prompt: func(code string) error { return rig.Entra.Decline(code) },
			want: pam.ErrAuth, says: "declined"},
		{name: "expired", prompt: func(code string) error { return rig.Entra.Expire(code) },
			want: pam.ErrAuth, says: "Try again"},
		{name: "forged token", prompt: rig.As(user),
			forge: &emulator.Forgery{Sign: emulator.Stranger}, want: pam.ErrAuth,
			says: "could not be trusted"},
		{name: "unsigned token", prompt: rig.As(user),
			forge: &emulator.Forgery{Sign: emulator.None}, want: pam.ErrAuth,
			says: "could not be trusted"},
		{name: "other person of that name", prompt: rig.As(user), want: pam.ErrPermDenied,
			says:  "belongs to somebody else",
			forge: &emulator.Forgery{Claims: map[string]any{"oid": "99999999-9999-9999-9999-999999999999"}}},
		{name: "no role", user: "norole@contoso.example", prompt: rig.As("norole@contoso.example"),
			want: pam.ErrPermDenied, says: rig.DeniedSentence},
		{name: "upper case", user: "User@contoso.example", want: pam.ErrPermDenied,
			says: "spelled user@contoso.example"},
		{name: "Entra unreachable", fault: emulator.Fault{Endpoint: "devicecode", Reset: true},
			want: pam.ErrAuthinfoUnavail, says: "cannot be reached"},
		{name: "Azure unreachable", prompt: rig.As(user),
			fault: emulator.Fault{Endpoint: "checkaccess", Status: 503},
			want:  pam.ErrAuthinfoUnavail, says: "cannot be reached"},
		{name: "Azure refuses to say", prompt: rig.As(user),
			fault: emulator.Fault{Endpoint: "checkaccess", Status: 403},
			want:  pam.ErrAuthinfoUnavail, says: "does not let it ask"},
		{name: "metadata unreachable", fault: emulator.Fault{Endpoint: "metadata", Reset: true},
			want: pam.ErrAuthinfoUnavail, says: "metadata service"},
		{name: "conversation failed", prompt: func(string) error { return errors.New("hung up") },
			want: pam.ErrConv},
		{name: "broken configuration", arguments: "config=" + broken, want: pam.ErrService,
			says: "not configured correctly"},
		{name: "missing configuration", arguments: "config=/nonexistent", want: pam.ErrService,
			says: "not configured correctly"},
		{name: "unknown argument", arguments: "typo", want: pam.ErrService},
		{name: "wrong client", fault: emulator.Fault{Endpoint: "devicecode", Status: 400,
			Error: "unauthorized_client", AADSTS: 700016}, want: pam.ErrService,
			says: "client_id names no application"},
		{name: "worker killed", prompt: rig.KillWorker, want: pam.ErrSystem},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.user == "" {
				test.user = user
			}
			if test.fault.Endpoint != "" {
				rig.Must(t, "rm", "-rf", "/var/cache/aad-login")
				rig.Entra.Fail(test.fault)
				defer rig.Entra.Heal()
			}
			rig.Entra.Forge(test.forge)
			defer rig.Entra.Forge(nil)
			h := rig.NewHost(t, test.user, test.arguments)
			if test.prompt != nil {
				h.Prompt = test.prompt
			}
			mark := rig.Syslog.Mark()
			err := h.Tx.Authenticate(0)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("returned %v, want %v; told %q; log %q", err, test.want, h.Told,
					rig.Syslog.Find(mark, ""))
			}
			if test.says != "" && !strings.Contains(strings.Join(h.Told, "\n"), test.says) {
				t.Errorf("told %q, not %q", h.Told, test.says)
			}
			if rig.Workers() != nil {
				t.Error("a worker outlives its sign-in")
			}
		})
	}
}

// The module argument debug logs every step, and no secret.
func TestDebug(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	mark := rig.Syslog.Mark()
	h := rig.NewHost(t, user, "debug")
	var shown string
	h.Prompt = func(code string) error {
		shown = code
		return rig.Entra.SignIn(code, user)
	}
	if err := h.Tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"endpoints", "browser", "token"} {
		rig.Syslog.Exactly(t, mark, 1, `step account="user@contoso\.example" .*step="`+step+`"`)
	}
	rig.Syslog.Exactly(t, mark, 0, shown) // the code
}

// The account phase of a handle that has just signed in asks no server. Otherwise it asks Azure.
func TestAccountPhase(t *testing.T) {
	const user = "user@contoso.example"
	rig.Stored(t, user)
	h := rig.NewHost(t, user, "")
	h.Prompt = rig.As(user)
	if err := h.Tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	before := rig.Requests("checkaccess")
	if err := h.Tx.AcctMgmt(0); err != nil || rig.Requests("checkaccess") != before {
		t.Errorf("after our authentication: %v, %d questions", err,
			rig.Requests("checkaccess")-before)
	}

	h.Prompt = func(code string) error { return rig.Entra.Decline(code) }
	if err := h.Tx.Authenticate(0); !errors.Is(err, pam.ErrAuth) {
		t.Fatal(err)
	}
	before = rig.Requests("checkaccess")
	if err := h.Tx.AcctMgmt(0); err != nil || rig.Requests("checkaccess") == before {
		t.Errorf("after a sign-in that failed: %v, %d questions", err,
			rig.Requests("checkaccess")-before)
	}

	h = rig.NewHost(t, user, "")
	before = rig.Requests("checkaccess")
	if err := h.Tx.AcctMgmt(0); err != nil || rig.Requests("checkaccess") == before {
		t.Errorf("without our authentication: %v, %d questions", err,
			rig.Requests("checkaccess")-before)
	}
	for _, test := range []struct {
		name  string
		fault emulator.Fault
		want  error
	}{
		{"Azure cannot be asked", emulator.Fault{Endpoint: "checkaccess", Reset: true},
			pam.ErrAuthinfoUnavail},
		{"role taken away", emulator.Fault{}, pam.ErrPermDenied},
	} {
		if test.fault.Endpoint != "" {
			rig.Entra.Fail(test.fault)
		} else {
			rig.Revoke(t, user)
		}
		if err := rig.NewHost(t, user, "").Tx.AcctMgmt(0); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
		rig.Entra.Heal()
	}
}

// With a grant lifetime, the last grant stands in while Azure cannot be asked, until a denial.
func TestGrantLifetime(t *testing.T) {
	const user = "user@contoso.example"
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		return []byte(s + "\n[authorization]\ngrant_lifetime = \"1h\"\n")
	})
	h := rig.NewHost(t, user, "")
	h.Prompt = rig.As(user)
	if err := h.Tx.Authenticate(0); err != nil {
		t.Fatal(err)
	}
	unreachable := func() error {
		rig.Entra.Fail(emulator.Fault{Endpoint: "checkaccess", Reset: true})
		defer rig.Entra.Heal()
		return rig.NewHost(t, user, "").Tx.AcctMgmt(0)
	}
	if err := unreachable(); err != nil {
		t.Errorf("with a fresh grant: %v", err)
	}
	rig.Revoke(t, user)
	if err := rig.NewHost(t, user, "").Tx.AcctMgmt(0); !errors.Is(err, pam.ErrPermDenied) {
		t.Errorf("revoked: %v", err)
	}
	if err := unreachable(); !errors.Is(err, pam.ErrAuthinfoUnavail) {
		t.Errorf("an old grant outlived a denial: %v", err)
	}
}

// An administrator who has lost the role loses the group at once. sudo refuses them every time in a
// session that still has it.
func TestDemotion(t *testing.T) {
	const admin = "admin@contoso.example"
	c := rig.SSH(t, admin)
	c.SignIn(admin)
	c.Expect(`\$ `)
	var before []emulator.Assignment
	err := rig.Entra.Update(func(d *emulator.Directory) {
		before = d.Assignments
		d.Assignments = []emulator.Assignment{
			{Principal: admin, Role: "Virtual Machine User Login", Scope: d.Machine.ResourceID},
			before[0],
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer rig.Entra.Update(func(d *emulator.Directory) { d.Assignments = before })
	for range 2 {
		c.TypeLine("sudo -k; sudo id -u")
		c.SignIn(admin)
		c.Expect(`admin@contoso\.example is no longer an administrator of this machine\.`)
		c.Expect(`3 incorrect password attempts`)
		if groups := rig.Must(t, "id", "-Gn", admin); strings.Contains(groups, "aad_admins") {
			t.Errorf("groups %s", groups)
		}
	}
	if strings.Contains(c.All(), "\n0\n") {
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
	if out, status := rig.Command(t, probe, "gcc", "-x", "c", "-o", program, "-"); status != 0 {
		t.Fatal(out)
	}
	rig.Must(t, program, rig.FileAt(t, "/lib/*/security/pam_aad.so"))
}
