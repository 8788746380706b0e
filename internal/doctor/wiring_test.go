// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// redHat is password-auth as authselect writes it for the profile sssd, in short.
const redHat = `#%PAM-1.0
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular
auth        [default=1 ignore=ignore success=ok]         pam_localuser.so
auth        sufficient                                   pam_unix.so nullok
auth        [default=1 ignore=ignore success=ok]         pam_usertype.so isregular
auth        sufficient                                   pam_sss.so forward_pass
auth        required                                     pam_deny.so

account     required                                     pam_unix.so
account     sufficient                                   pam_localuser.so
account     sufficient                                   pam_usertype.so issystem
account     [default=bad success=ok user_unknown=ignore] pam_sss.so
account     required                                     pam_permit.so

session     optional                                     pam_keyinit.so revoke
session     required                                     pam_limits.so
session     [success=1 default=ignore]                   pam_succeed_if.so service in crond quiet use_uid
session     required                                     pam_unix.so
`

// A stack of Red Hat's that the rpm has edited passes the checks. Without the edit it fails.
func TestRedHat(t *testing.T) {
	const sshd = "auth substack password-auth\nauth include postlogin\naccount required " +
		"pam_sepermit.so\n" +
		"account required pam_nologin.so\naccount include password-auth\nsession include " +
		"password-auth\n"
	expect(t, pamOf(map[string]string{"sshd": sshd, "password-auth": redHat}).pam(t.Context()),
		Failed, "auth: pam_aad.so is not asked")
	file := filepath.Join(t.TempDir(), "password-auth")
	if err := os.WriteFile(file, []byte(redHat), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("../../packaging/wiring/pam-stack", "add", file).
		CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	findings := pamOf(map[string]string{"sshd": sshd, "password-auth": string(text)}).
		pam(t.Context())
	if expect(t, findings, OK, "takes its answer"); len(findings) != 1 {
		t.Errorf("%s\n%s", told(findings...), text)
	}
}
