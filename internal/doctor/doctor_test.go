// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
	"aadlogin/internal/sshd"
)

// told returns each finding as "status: found".
func told(findings ...Finding) string {
	var lines []string
	for _, r := range findings {
		lines = append(lines, string(r.Status)+": "+r.Found)
	}
	return strings.Join(lines, "\n")
}

// expect finds one finding. It also checks that each failure has a remedy, so every failure of
// these tests is checked.
func expect(t *testing.T, findings []Finding, status Status, found string) {
	t.Helper()
	for _, r := range findings {
		if r.Status == Failed && r.Fix == "" && r.Command == "" {
			t.Errorf("no way out of: %s", r.Found)
		}
	}
	for _, r := range findings {
		if r.Status == status && strings.Contains(r.Found, found) {
			return
		}
	}
	t.Errorf("no %s, %q in:\n%s", status, found, told(findings...))
}

func TestNsswitch(t *testing.T) {
	for _, test := range []struct {
		text   string
		status Status
		found  string
	}{
		{"passwd: files systemd aad\ngroup: files aad # all\n", OK, "asks aad for group"},
		{"passwd:\tcompat aad\ngroup: files aad\n", OK, "asks aad for passwd"},
		{"passwd: files aad\ngroup: files # aad\n", Failed, "for group: files; aad is missing"},
		{"group: files aad\n", Failed, "for passwd: ; aad is missing"},
		{"passwd: aad files\ngroup: files aad\n", Failed, "must come after files"},
		{"passwd: sss aad\ngroup: files aad\n", Failed, "must come after files"},
		{"passwd: files [NOTFOUND=return] aad\ngroup: files aad\n", Failed, "ends the search"},
		{"passwd: files [ !SUCCESS = return ] aad\ngroup: files aad\n", Failed, "ends the search"},
		{"passwd: files [SUCCESS=return] aad\ngroup: files [success=merge] aad\n",
			OK, "asks aad for passwd"},
		{"passwd: files [!NOTFOUND=return] aad\ngroup: files aad\n", OK, "asks aad for passwd"},
		{"passwd: files [NOTFOUND=return UNAVAIL=continue] aad\ngroup: files aad\n", Failed,
			"for passwd: files [NOTFOUND=return UNAVAIL=continue] aad; an [action]"},
		{"passwd: files [TRYAGAIN=continue NOTFOUND=return] aad\ngroup: files aad\n", Failed,
			"ends the search"},
		{"passwd: files[NOTFOUND=return]aad\ngroup: files aad\n", Failed, "ends the search"},
		{"passwd: files [NOTFOUND=return][SUCCESS=continue] aad\ngroup: files aad\n", Failed,
			"ends the search"},
		{"passwd: files [!SUCCESS=return NOTFOUND=continue] aad\ngroup: files aad\n", OK,
			"asks aad for passwd"},
		{"passwd: files aad\ngroup: files aad\ninitgroups: files\n", Failed,
			"for initgroups: files; aad is missing"},
	} {
		expect(t, judgeNsswitch(test.text), test.status, test.found)
	}
}

// The command takes out the action that ends the search, and no other.
func TestNsswitchDropAction(t *testing.T) {
	const kept = "\npasswd: files [NOTFOUND=return] aad # as it is\n"
	for line, want := range map[string]string{
		"group: files [NOTFOUND=return UNAVAIL=continue] sss [SUCCESS=merge] aad": "group: " +
			"files   sss [SUCCESS=merge] aad",
		" group: files [SUCCESS=merge] sss [ !success = return\t] aad": " group: files " +
			"[SUCCESS=merge] sss   aad",
		"group:files[NOTFOUND=return]aad": "group:files aad",
	} {
		file := filepath.Join(t.TempDir(), "nsswitch.conf")
		if err := os.WriteFile(file, []byte(line+kept), 0o644); err != nil {
			t.Fatal(err)
		}
		r := judgeServices("group", nsswitchLines(line)["group"])
		command := strings.ReplaceAll(r.Command, "/etc/nsswitch.conf", file)
		if out, err := exec.Command("sh", "-ec", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v, %s", command, err, out)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != want+kept {
			t.Errorf("%v, %q, by %s", err, got, r.Command)
		}
	}
}

func TestClock(t *testing.T) {
	for _, test := range []struct {
		ahead  time.Duration
		known  bool
		status Status
		found  string
	}{
		{0, true, OK, "clock is right"},
		{time.Minute, true, OK, "clock is right"},
		{61 * time.Second, true, Failed, "1m1s ahead"},
		{-time.Hour, true, Failed, "1h0m0s behind"},
		{time.Hour, false, Skipped, "did not say"},
	} {
		expect(t, []Finding{judgeClock(test.ahead, test.known)}, test.status, test.found)
	}
}

func TestDecision(t *testing.T) {
	by := rbac.By{Role: "Night Shift", Scope: "/subscriptions/s"}
	for _, test := range []struct {
		decision rbac.Decision
		status   Status
		found    string
		command  string
		fix      string
	}{
		{rbac.Decision{Login: true, Admin: true, By: by}, OK,
			`as administrator: role "Night Shift" at /subscriptions/s`, "", ""},
		{rbac.Decision{Login: true, By: by, Reason: "no role"},
			OK, `at /subscriptions/s; not as administrator, for no role`, "", ""},
		{rbac.Decision{Reason: "no role"}, Failed, "would not be let in: no role", "az", ""},
		{rbac.Decision{Reason: "login: a deny assignment applies", Withheld: true},
			Failed, "a deny assignment applies", "", "ask whoever made it"},
		{rbac.Decision{Reason: `the role "deny" does not allow it`},
			Failed, "does not allow it", "az", "counts from the next sign-in on"},
		{rbac.Decision{}, Failed, "would not be let in", "az", ""},
	} {
		r := judgeDecision(test.decision, "az")
		expect(t, []Finding{r}, test.status, test.found)
		if r.Command != test.command || !strings.Contains(r.Fix, test.fix) {
			t.Errorf("%+v", r)
		}
	}
}

func TestNSCD(t *testing.T) {
	const conf = "enable-cache\tpasswd yes\n# enable-cache group yes\nenable-cache group " +
		"no\nenable-cache hosts yes\n"
	running := func(err error) *Host {
		return &Host{System: System{
			Files: fstest.MapFS{"run/nscd/socket": {}, "etc/nscd.conf": {Data: []byte(conf)}},
			Run:   func(context.Context, string, ...string) (string, error) { return "", err },
		}}
	}
	expect(t, running(nil).nscd(t.Context()), Failed, "answers for passwd, and")
	expect(t, running(errors.New("exit status 1")).nscd(t.Context()), OK, "not running")
}

// A program that hangs ends its own check and no other.
func TestHangs(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	forever := make(chan struct{})
	findings := examine(ctx, "sshd", func(context.Context) []Finding { <-forever; return nil })
	if expect(t, findings, Failed, "no answer"); findings[0].Check != "sshd" {
		t.Errorf("%+v", findings)
	}
}

func TestSomeone(t *testing.T) {
	c := &config.Config{Domains: []string{"contoso.com"}}
	short := &config.Config{Domains: []string{"contoso.com"}, ShortNames: true}
	none := System{Files: fstest.MapFS{"etc/passwd": {Data: []byte("root:x:0:0::/:/bin/sh\nhal:x:1002:1002::/:/bin/sh\n")}}}
	for want, h := range map[string]*Host{
		"someone@contoso.com": {Config: c, System: none},
		"someone":             {Config: short, System: none, Account: "hal"},
		"alice":               {Config: short, Account: "alice", System: none},
		"someone@contoso.net": {Config: &config.Config{Domains: []string{"contoso.net"}},
			System: none, Account: "a,addr=192.0.2.1@contoso.net"},
	} {
		if got := h.someone(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// These files are read to their end, whatever they contain.
func FuzzTexts(f *testing.F) {
	f.Add("passwd: files [NOTFOUND=return] aad\n")
	f.Add(ownAuth + "\n@include sshd\nauth [success=1 default=ignore] pam_unix.so\n")
	f.Add("usepam yes\nallowgroups [ !x \\\n")
	f.Fuzz(func(t *testing.T, text string) {
		judgeNsswitch(text)
		who := candidate{name: "someone@contoso.com", domains: []string{"contoso.com"}}
		lines, _ := sshd.Read(fstest.MapFS{"etc/ssh/sshd_config": {Data: []byte(text)}})
		judgeSSHD(settings(text), who.name, time.Minute, true)
		judgeAllowed(settings(text), who, sshd.Version{Major: 9}, lines)
		memberOf(text, who.name)
		nscdKeeps(text)
		hasModule(text)
		denials(text, false)
		h := pamOf(map[string]string{"sshd": text})
		h.Config = &config.Config{}
		if findings := h.pam(t.Context()); len(findings) == 0 {
			t.Error("nothing said")
		}
	})
}
