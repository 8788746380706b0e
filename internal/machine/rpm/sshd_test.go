// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"os"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// This is Red Hat's sshd_config. Version 8.0 has only this file.
const redhatConfig = `HostKey /etc/ssh/ssh_host_ed25519_key
SyslogFacility AUTHPRIV
AuthorizedKeysFile	.ssh/authorized_keys
PasswordAuthentication yes
ChallengeResponseAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_CTYPE
Subsystem	sftp	/usr/libexec/openssh/sftp-server
`

// withoutInclude makes a machine whose sshd is older than Include and its directory.
func withoutInclude(t *testing.T) {
	t.Helper()
	family(t, "redhat")
	rig.Must(t, "rm", "-r", "/etc/ssh/sshd_config.d")
	rig.Must(t, "mv", "/usr/sbin/sshd", "/usr/sbin/sshd.real")
	t.Cleanup(func() { rig.Must(t, "mv", "/usr/sbin/sshd.real", "/usr/sbin/sshd") })
	rig.Must(t, "cp", "testdata/sshd-8.0", "/usr/sbin/sshd")
	rig.Put(t, "/etc/ssh/sshd_config", redhatConfig)
	rig.Put(t, "/etc/ssh/including", "Include /dev/null\n")
	out, status := rig.Command(t, "", "/usr/sbin/sshd", "-t", "-f", "/etc/ssh/including")
	if status != 255 || !strings.Contains(out, "Bad configuration option: Include") {
		t.Fatalf("exit status %d, said %q", status, out)
	}
}

// settings returns the settings of sshd for a user's connection.
func settings(t *testing.T, user string) string {
	t.Helper()
	return rig.Must(t, "/usr/sbin/sshd", "-T", "-C", "user="+user+",host=client,addr=192.0.2.1")
}

// If sshd does not know Include, its own file gets the content of the drop-in. Local users are
// asked as before, and ours only for the code. A removal leaves the file as it was, even if it did
// not end in a newline or ended in a Match block.
func TestRPMWithoutInclude(t *testing.T) {
	long(t)
	rig.Stored(t, "user@contoso.example")
	// sshd has another name here, and does not learn of new accounts.
	rig.Stored(t, "admin@contoso.example")
	withoutInclude(t)
	before := rig.Wiring(t)
	mustRPM(t, "1.2.3")
	const keyword = "ChallengeResponseAuthentication no"
	for name, text := range map[string]string{
		"as shipped":         redhatConfig,
		"without a last end": strings.TrimSuffix(redhatConfig, "\n"),
		"asks everybody":     strings.Replace(redhatConfig, keyword, "#"+keyword, 1),
		"an equals sign": strings.Replace(redhatConfig, keyword,
			"challengeresponseauthentication=no", 1),
		"no passwords": strings.Replace(redhatConfig, "PasswordAuthentication yes",
			"PasswordAuthentication no", 1),
		"a Match block behind": redhatConfig +
			"Match Address 203.0.113.0/24\n\tPasswordAuthentication no\n",
		"somebody is asked": redhatConfig +
			"Match User local\n\tKbdInteractiveAuthentication yes",
		"already in the middle": "# before\n\n" + redhatConfig + "\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			rig.Put(t, "/etc/ssh/sshd_config", text)
			people := []string{"local", "root", "nobody"}
			asked := map[string]string{}
			for _, user := range people {
				asked[user] = settings(t, user)
			}
			for range 2 { // the second time changes nothing
				rig.Must(t, shared+"sshd-config", "add")
			}
			rig.Must(t, "/usr/sbin/sshd", "-t")
			for _, user := range people {
				for _, line := range rig.Differences(asked[user], settings(t, user)) {
					if !strings.Contains(line, "logingracetime") {
						t.Errorf("%s: %s", user, line)
					}
				}
			}
			ours := settings(t, "user@contoso.example")
			for _, line := range []string{
				"kbdinteractiveauthentication yes", "passwordauthentication no",
				"logingracetime 300", "usepam yes",
			} {
				if !strings.Contains(ours, line+"\n") {
					t.Errorf("an account of ours: not %s", line)
				}
			}
			misspelt := settings(t, "user%40contoso.example")
			for _, line := range []string{
				"banner " + shared + "name-spelling", "kbdinteractiveauthentication no",
				"passwordauthentication no",
			} {
				if !strings.Contains(misspelt, line+"\n") {
					t.Errorf("a name with %%40: not %s", line)
				}
			}
			wrong, _ := rig.Diagnose(t, "--offline", "user@contoso.example")
			if slices.ContainsFunc(wrong, func(r rig.Examined) bool { return r.Check == "sshd" }) {
				t.Errorf("check: %+v", wrong)
			}
			got := settings(t, "User@Contoso.Example")
			if !strings.Contains(got, "kbdinteractiveauthentication yes\n") {
				t.Error("a name in another spelling is not told the right one")
			}
			rig.Must(t, shared+"sshd-config", "remove")
			if got := rig.Must(t, "cat", "/etc/ssh/sshd_config"); got != text {
				t.Errorf("removed: %q", got)
			}
		})
	}
	sshd, err := rig.StartSSHD("2238")
	if err != nil {
		t.Fatal(err)
	}
	defer sshd.Process.Kill()
	const name = "admin@contoso.example"
	c := rig.Open(t, "ssh",
		append([]string{"-p", "2238"}, rig.SSHArgs("-tt", name+"@127.0.0.1", "sudo id -un")...)...)
	c.SignIn(name)
	c.SignIn(name)
	c.Expect(`\nroot\n`)
	mustRPM(t, "")
	for _, line := range rig.Differences(before, rig.Wiring(t)) {
		t.Errorf("erased: %s", line)
	}
	if _, err := os.Stat("/etc/ssh/sshd_config.d"); err == nil {
		t.Error("erased, there is a directory that was not there before")
	}
}
