// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
)

// pamOf returns a machine with these files in /etc/pam.d.
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
		"a substack jumped over": {"auth [success=1 default=ignore] pam_succeed_if.so uid >= 1\n" +
			"auth substack late\nauth required pam_permit.so\n" + local + account + session,
			Failed, "auth: a line before"},
		"two substacks jumped over": {"auth [success=2 default=ignore] pam_permit.so\n" +
			"auth substack early\nauth substack nested\n" + good, OK, "takes its answer"},
		"jumped over in a substack": {"auth substack jumps\n" + good, OK, "takes its answer"},
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
				"early":  "auth sufficient pam_permit.so\naccount sufficient pam_permit.so\n",
				"late":   "auth sufficient pam_permit.so\n" + auth,
				"nested": "auth substack early\nauth requisite pam_deny.so\n",
				"jumps":  "auth [success=1 default=ignore] pam_permit.so\nauth requisite pam_deny.so\n"}
			expect(t, pamOf(files).pam(t.Context()), test.status, test.found)
		})
	}
}

// A fault in a stack that services share is reported once.
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
	expect(t, findings, Warning, "nothing makes home directories (as in login)")
	if len(findings) != 4 {
		t.Errorf("%s", told(findings...))
	}
}

// On a machine with the rpm, another program restores the lines, and the directories have other
// names.
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
		"usr/etc/pam.d/sshd":    "auth required pam_deny.so\n", // the other one counts
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
	// No line of PAM names the module in its directory.
	expect(t, h.modules(t.Context()), Failed, "pam_aad.so is not there")
}
