// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"
	"testing/fstest"
)

// These are Debian 12's stacks in short, and what pam-auth-update stores about them.
const (
	commonAuth = `# /etc/pam.d/common-auth
# here are the per-package modules (the "Primary" block)
auth	[success=2 default=ignore]	pam_unix.so nullok
auth	[success=1 user_unknown=ignore default=die]	pam_aad.so
# here's the fallback if no module succeeds
auth	requisite			pam_deny.so
auth	required			pam_permit.so
# and here are more per-package modules (the "Additional" block)
auth	optional			pam_cap.so 
# end of pam-auth-update config
`
	writtenAuth = `Module: unix
[success=end default=ignore]	pam_unix.so nullok
Module: aad-login
[success=end user_unknown=ignore default=die]	pam_aad.so
Module: capability
optional			pam_cap.so
`
	theirLine = "auth	[success=2 default=ignore]	pam_unix.so nullok\n"
	ourLine   = "auth	[success=1 user_unknown=ignore default=die]	pam_aad.so\n"
)

func TestOnlyWritten(t *testing.T) {
	for name, test := range map[string]struct {
		old, new string
		want     bool
	}{
		"as written":           {"", "", true},
		"our line gone":        {ourLine, "", true},
		"other arguments":      {" nullok", " try_first_pass debug", true},
		"a jump counted anew":  {"success=2", "success=7", true},
		"a line before":        {"# /etc", "auth required pam_env.so\n# /etc", true},
		"a line in the middle": {"auth	requisite", "auth required pam_env.so\nauth	requisite", true},
		"a line behind":        {"-update config", "-update config\nauth required pam_env.so", true},
		"an empty line":        {ourLine, "\n", false},
		"a comment":            {ourLine, "# pam_aad.so\n", false},
		"a line added":         {ourLine, ourLine + "auth required pam_env.so\n", false},
		"another control":      {"user_unknown=ignore default", "default", false},
		"another module":       {"pam_cap.so", "pam_other.so", false},
		"other blanks":         {"]	pam_aad.so", "] pam_aad.so", false},
		"another order":        {theirLine + ourLine, ourLine + theirLine, false},
		"no marks":             {"# and here are more", "# more", false},
		"a line more":          {"pam_cap.so ", "pam_cap.so \nauth	optional			pam_cap.so ", false},
	} {
		stack := strings.Replace(commonAuth, test.old, test.new, 1)
		if got := onlyWritten("auth", stack, writtenAuth); got != test.want {
			t.Errorf("%s: %v, want %v of\n%s", name, got, test.want, stack)
		}
	}
}

// --force overwrites the edits of an administrator, so it is only proposed if there are some.
func TestForceOnlyWhereEdited(t *testing.T) {
	host := pamOf(map[string]string{"sshd": "@include common-auth\n@include common-account\n" +
		"@include common-session\n"})
	files := host.Files.(fstest.MapFS)
	for _, kind := range []string{"auth", "account", "password", "session",
		"session-noninteractive"} {
		of, _, _ := strings.Cut(kind, "-")
		stack := strings.ReplaceAll(strings.Replace(commonAuth, ourLine, "", 1), "auth\t", of+"\t")
		files["etc/pam.d/common-"+kind] = &fstest.MapFile{Data: []byte(stack)}
		files["var/lib/pam/"+kind] = &fstest.MapFile{Data: []byte(writtenAuth)}
	}
	want := func(command, fix string) {
		t.Helper()
		for _, r := range host.pam(t.Context())[:3] {
			if r.Command != command || r.Fix != fix || !strings.Contains(r.Found, "is not asked") {
				t.Errorf("%s | %s | %s, want %s | %s", r.Found, r.Fix, r.Command, fix, command)
			}
		}
	}
	want("pam-auth-update --enable aad-login", "")
	files["etc/pam.d/common-password"].Data = []byte(commonAuth)
	want("pam-auth-update --force --enable aad-login",
		"the command undoes what was edited by hand in the stacks common-*")
	delete(files, "var/lib/pam/password")
	want("pam-auth-update --force --enable aad-login",
		"the command undoes what was edited by hand in the stacks common-*")
}
