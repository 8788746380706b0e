// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
	"aadlogin/internal/sshd"
)

// told is each finding as "status: found | fix | command".
func told(findings ...Finding) string {
	var lines []string
	for _, r := range findings {
		lines = append(lines, string(r.Status)+": "+r.Found)
	}
	return strings.Join(lines, "\n")
}

// expect finds one finding, and a way out of each that failed: every failure that a test brings
// about comes by here.
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
		{"passwd: files aad\ngroup: files aad\ninitgroups: files\n", Failed,
			"for initgroups: files; aad is missing"},
	} {
		expect(t, judgeNsswitch(test.text), test.status, test.found)
	}
}

// files are those of /etc/pam.d.
func pamOf(files map[string]string) *Host {
	system := fstest.MapFS{}
	for name, text := range files {
		system["etc/pam.d/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return &Host{System: System{Files: system}}
}

func TestPAM(t *testing.T) {
	const (
		auth = ownAuth + "\nauth [success=1 default=ignore] pam_unix.so\n" +
			"auth requisite pam_deny.so\nauth required pam_permit.so\n"
		local = "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n" +
			"account requisite pam_deny.so\naccount required pam_permit.so\n"
		session = ownSession + "\nsession optional pam_mkhomedir.so umask=0077\n"
		account = ownAccount + "\n" + ownGuard + "\n"
		good    = auth + local + account + session
	)
	for name, test := range map[string]struct {
		sshd   string
		status Status
		found  string
	}{
		"as the package has it":   {good, OK, "takes its answer"},
		"included":                {"@include all\n", OK, "takes its answer"},
		"included, Red Hat's way": {"auth include all\naccount substack all\n-session include all\n", OK, "takes its answer"},
		"over two lines": {strings.Replace(good, "user_unknown", "\\\nuser_unknown", 1),
			OK, "takes its answer"},
		"no auth":    {local + account + session, Failed, "auth: pam_aad.so is not asked"},
		"no account": {auth + local + session, Failed, "account: pam_aad.so is not asked"},
		"no session": {auth + local + account + "session optional pam_mkhomedir.so\n",
			Failed, "session: pam_aad.so is not asked"},
		"no homes": {auth + local + account + ownSession, Warning,
			"nothing makes home directories"},
		"only a comment": {"#" + good, Failed, "auth: pam_aad.so is not asked"},
		"password first": {"auth [success=3 default=ignore] pam_unix.so\n" + good,
			Warning, "asks for a password before"},
		"password only": {"auth requisite pam_unix.so\n" + good,
			Failed, "auth: a line before pam_aad.so ends the stack"},
		"account done before": {auth + "account sufficient pam_permit.so\n" +
			ownAccount + "\n" + session,
			Failed, "account: a line before"},
		"only locals done before": {auth +
			"account sufficient pam_localuser.so\naccount sufficient pam_usertype.so issystem\n" +
			"account sufficient pam_succeed_if.so uid < 1000 quiet\n" + account + session, OK,
			"takes its answer"},
		"a substack done before": {"auth substack early\naccount substack early\n" +
			good, OK, "takes its answer"},
		"an include done before": {"auth include early\n" + good, Failed, "auth: a line before"},
		"done in our substack": {"auth substack late\n" + local + account + session,
			Failed, "auth: a line before"},
		"account jumped over": {auth + "account [success=1 default=ignore] pam_unix.so\n" +
			ownAccount + "\n" + session,
			Failed, "account: a line before"},
		"optional account": {auth + "account optional pam_aad.so\n" + session,
			Failed, "a public key lets in who has no role"},
		"ignored account": {auth + "account [success=ok default=ignore] pam_aad.so\n" + session,
			Failed, "a public key lets in who has no role"},
		"no guard": {auth + local + ownAccount + "\n" + session, Warning,
			"should pam_aad.so be missing"},
		"needs no guard": {auth + local +
			"account [success=ok ignore=ignore default=die] pam_aad.so\n" + session,
			OK, "takes its answer"},
		"no locals": {auth + "account [success=ok default=die] pam_aad.so\n" + session,
			Failed, "/etc/pam.d/sshd:5: with control [success=ok default=die] in front of " +
				"pam_aad.so, accounts of this machine cannot log in"},
		"required": {strings.Replace(good, ownAccount, "account required pam_aad.so", 1), OK,
			"takes its answer"},
		"sufficient auth": {strings.Replace(good, ownAuth, "auth sufficient pam_aad.so", 1),
			Failed, "a refusal does not count"},
		"required auth": {strings.Replace(good, ownAuth, "auth required pam_aad.so", 1),
			Failed, "/etc/pam.d/sshd:1: with control required in front of pam_aad.so, accounts " +
				"of this machine cannot authenticate"},
		"success ignored": {strings.Replace(good, "success=done", "success=ignore", 1),
			Failed, "a sign-in does not count"},
		"another file": {strings.Replace(good, "pam_aad.so", "pam_aad.so config=/other debug", 1),
			Failed, "reads /other"},
		"includes itself": {"@include sshd\n@include sshd\n", Failed,
			"auth: pam_aad.so is not asked"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"sshd": test.sshd, "all": good,
				"early": "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
				"late":  "auth sufficient pam_permit.so\n" + auth}
			expect(t, pamOf(files).pam(t.Context()), test.status, test.found)
		})
	}
}

// What is wrong in a stack that services share is told once.
func TestPAMTellsOnce(t *testing.T) {
	files := map[string]string{"all": "auth required pam_unix.so\naccount required pam_unix.so\n"}
	for _, service := range []string{"sshd", "sudo", "login"} {
		files[service] = "@include all\n"
	}
	findings := pamOf(files).pam(t.Context())
	for _, found := range []string{
		"/etc/pam.d/sshd, auth: pam_aad.so is not asked (as in sudo and login)",
		"/etc/pam.d/sshd, account: pam_aad.so is not asked (as in sudo and login)",
		"/etc/pam.d/sshd, session: pam_aad.so is not asked (as in login)",
	} {
		expect(t, findings, Failed, found)
	}
	if expect(t, findings, Warning,
		"nothing makes home directories (as in login)"); len(findings) != 4 {
		t.Errorf("%s", told(findings...))
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
		{rbac.Decision{Reason: "login: a deny assignment applies"},
			Failed, "a deny assignment applies", "", "ask whoever made it"},
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

// Where the package is an rpm, another program puts the lines back, and other names lead to them.
func TestOtherDistributions(t *testing.T) {
	suse := map[string]string{
		"etc/pam.d/common-account": "account include common-account-pc\n" +
			ownAccount + "\n" + ownGuard + "\n",
		"etc/pam.d/common-session": ownSession + "\nsession optional pam_mkhomedir.so umask=0077\n",
		"etc/pam.d/common-auth": "auth optional pam_env.so\n" +
			strings.Replace(ownAuth, "pam_aad.so", "/usr/lib64/security/pam_aad.so", 1) +
			"\nauth include common-auth-pc\n",
		"usr/lib/pam.d/sshd": "auth include common-auth\naccount include " +
			"common-account\nsession include common-session\n",
		"usr/etc/pam.d/sshd":    "auth required pam_deny.so\n", // the other one comes first
		"usr/etc/nsswitch.conf": "passwd: compat aad\ngroup: compat\n",
		"lib64/libc.so.6":       "", "lib64/security/pam_unix.so": "",
		"usr/lib64/libnss_aad.so.2": "", "usr/lib64/security/pam_aad.so": "",
		"usr/share/aad-login/wiring": "",
	}
	system := fstest.MapFS{}
	for name, text := range suse {
		system[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
	}
	h := &Host{System: System{Files: system,
		Run: func(context.Context, string, ...string) (string, error) {
			return "", nil
		}}}
	expect(t, h.pam(t.Context()), OK, "sshd asks pam_aad.so")
	expect(t, h.modules(t.Context()), OK, "/usr/lib64/security/pam_aad.so")
	expect(t, h.modules(t.Context()), OK, "/usr/lib64/libnss_aad.so.2")
	if findings := h.nsswitch(t.Context()); len(findings) != 2 ||
		findings[1].Command != "/usr/share/aad-login/nsswitch add" {
		t.Errorf("%+v", findings)
	}
	system["etc/authselect/authselect.conf"] = &fstest.MapFile{}
	if findings := h.nsswitch(t.Context()); len(findings) != 2 || findings[0].Command != "" ||
		findings[1].Command != wiring+" add" {
		t.Errorf("%+v", findings)
	}
	system["etc/pam.d/common-auth"] = &fstest.MapFile{Data: []byte("auth include common-auth-pc\n")}
	if findings := h.pam(t.Context()); len(findings) != 1 || findings[0].Command != wiring+" add" {
		t.Errorf("%+v", findings)
	}
	// no line names it where it is
	expect(t, h.modules(t.Context()), Failed, "pam_aad.so is not there")
}

// A program that hangs ends its own check, and no other.
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

// Whatever is in these files, they are read to their end.
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
		denials(text)
		h := pamOf(map[string]string{"sshd": text})
		h.Config = &config.Config{}
		if findings := h.pam(t.Context()); len(findings) == 0 {
			t.Error("nothing said")
		}
	})
}

// Without a scope of its own the application is nothing that policies see, which is worth a warning
// and no more.
func TestScope(t *testing.T) {
	const id = "00001111-aaaa-2222-bbbb-3333cccc4444"
	for _, test := range []struct {
		scope, source string
		status        Status
		found         string
	}{
		{"", config.CheckAccess, Warning, "does not see this application"},
		{"", config.AppRoles, Warning, "does not see this application"},
		{id + "/sign-in", config.CheckAccess, OK, "sees this application by its scope " + id +
			"/sign-in"},
		{"", config.Permissions, OK, "sees Azure Resource Manager"},
	} {
		c := &config.Config{TenantID: "t", ClientID: id,
			Domains: []string{"a.example", "b.example"}, SignIn: config.SignIn{Scope: test.scope},
			Authorization: config.Authorization{Source: test.source}}
		got := (&Host{Config: c}).scope(t.Context())
		expect(t, got, test.status, test.found)
		if want := "aadctl setup --tenant t --client " + id +
			" --domain a.example,b.example"; test.status == Warning &&
			(got[0].Command != want || got[0].Fix == "") {
			t.Errorf("%+v", got)
		}
	}
}

// What was skipped, or met an outage, is no reason to advise anything.
func TestAdvice(t *testing.T) {
	const id = "00001111-aaaa-2222-bbbb-3333cccc4444"
	yes, no := Trial{Done: true, Granted: true}, Trial{Done: true, Page: 53003}
	left, outage := Trial{}, Trial{Done: true, Err: errors.New("connection refused")}
	for _, test := range []struct {
		scope                string
		without, guid, byURI Trial
		status               Status
		found                string
	}{
		{"", yes, yes, yes, Warning, "Entra ID takes sign_in.scope = \"" + id + "/sign-in\""},
		{"", yes, no, yes, Warning, "Entra ID takes sign_in.scope = \"api://"},
		{"", no, yes, left, Warning, "without it nobody gets in"},
		{"", yes, left, left, Skipped, "too little was tried"},
		{"", yes, no, left, Warning, "leave sign_in.scope empty"},
		{"", no, left, left, Failed, "no form was accepted"},
		{"", no, no, no, Failed, "no form was accepted"},
		{"", left, left, left, Skipped, "nobody signed in"},
		{"", outage, left, left, Skipped, "too little was tried"},
		{"", yes, outage, left, Skipped, "too little was tried"},
		{id + "/sign-in", yes, yes, left, OK, "right as it is"},
		{id + "/sign-in", yes, left, left, Skipped, "too little was tried"},
		{id + "/sign-in", yes, outage, left, Skipped, "too little was tried"},
		{id + "/sign-in", yes, no, left, Failed, "only a sign-in without a scope"},
		{id + "/sign-in", yes, no, yes, Warning, "Entra ID takes sign_in.scope = \"api://"},
		{id + "/sign-in", no, no, left, Failed, "no form was accepted"},
		{id + "/sign-in", left, left, yes, Skipped, "too little was tried"},
		{"api://" + id + "/sign-in", yes, yes, yes, OK, "right as it is"},
	} {
		c := &config.Config{TenantID: "t", ClientID: id, Domains: []string{"a.example"},
			SignIn: config.SignIn{Scope: test.scope}}
		trials := []Trial{test.without, test.guid, test.byURI}
		for i, scope := range Forms(c) {
			trials[i].Scope = scope
		}
		all := (&Host{Config: c}).JudgeTenant(trials)
		if last := all[len(all)-1]; last.Status != test.status ||
			!strings.Contains(last.Found, test.found) {
			t.Errorf("%q %+v:\n%s", test.scope, trials, told(all...))
		}
		if test.guid == outage && all[1].Kind != Unreachable {
			t.Errorf("%+v", all[1])
		}
	}
}
