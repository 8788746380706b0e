// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// family turns this machine into one of another distribution for the length of a test: without the
// .deb, and with an /etc of its own that has the PAM files and the nsswitch.conf of
// testdata/FAMILY. install and erase run rpm.
func family(t *testing.T, name string) {
	t.Helper()
	rig.Unwired(t)
	etc := t.TempDir()
	rig.Must(t, "sh", "-c",
		`mount -t tmpfs -o mode=755 etc "$0" && cp -a /etc/. "$0" && mount --bind "$0" /etc`, etc)
	t.Cleanup(func() { // before unwired's
		rig.Command(t, "", "rpm", "-e", "--noscripts", "aad-login")
		// These are left from a test that failed.
		rig.Must(t, "rm", "-f", filepath.Dir(rig.StoreFile)+"/install-pending",
			filepath.Dir(rig.StoreFile)+"/directories")
		rig.Must(t, "umount", "/etc")
		rig.Must(t, "umount", etc)
		rig.Must(t, "ldconfig")
	})
	rig.Must(t, "sh", "-c",
		`rm -f /etc/pam.d/* && cp testdata/"$0"/* /etc/pam.d/ && mv /etc/pam.d/nsswitch.conf /etc/ && cd /etc/pam.d &&
		for service in chpasswd other su; do [ -e $service ] || cp sudo $service; done`, name)
	rig.Put(t, "/etc/ld.so.conf.d/lib64.conf", "/usr/lib64\n") // where Debian's ld.so does not look
	rig.Must(t, "mkdir", "-p", "/run/faillock")
}

func rpmInstall(t *testing.T, version string) (string, int) {
	t.Helper()
	return rig.Command(t, "", "rpm", "--force-debian", "--nodeps", "-U", rig.RPMOf(t, version))
}

// mustRPM installs a version, or erases the package if version is "".
func mustRPM(t *testing.T, version string) string {
	t.Helper()
	if version == "" {
		return rig.Must(t, "rpm", "-e", "aad-login")
	}
	out, status := rpmInstall(t, version)
	if status != 0 || strings.Contains(out, "scriptlet failed") {
		t.Fatalf("exit status %d: %s", status, out)
	}
	return out
}

// Each family must pass the same tests.
var families = map[string]func(t *testing.T){
	"redhat":     func(t *testing.T) { family(t, "redhat") },
	"azurelinux": func(t *testing.T) { long(t); family(t, "azurelinux") },
	"suse":       suse,
}

// suse has links, as pam-config makes them, and no /etc/nsswitch.conf, as new installations.
func suse(t *testing.T) {
	long(t)
	family(t, "suse")
	for _, kind := range []string{"auth", "account", "password", "session"} {
		if err := os.Symlink("common-"+kind+"-pc", "/etc/pam.d/common-"+kind); err != nil {
			t.Fatal(err)
		}
	}
	rig.Must(t, "mkdir", "-p", "/usr/etc")
	rig.Must(t, "mv", "/etc/nsswitch.conf", "/usr/etc/nsswitch.conf")
	// Debian's glibc does not read it, and works as if it said "files".
	t.Cleanup(func() { os.Remove("/usr/etc/nsswitch.conf") })
}

// The package is installed, signed in with, upgraded and erased. Afterwards each file is as before,
// byte by byte.
func TestRPMFamilies(t *testing.T) {
	for name, become := range families {
		t.Run(name, func(t *testing.T) {
			become(t)
			l := rig.NewLocals(t)
			before := rig.Wiring(t)
			mustRPM(t, "1.2.3")
			l.GetIn(t, "installed")
			signsIn(t)
			refuses(t, l)
			installed := rig.Wiring(t)
			mustRPM(t, "1.2.4")
			for _, line := range rig.Differences(installed, rig.Wiring(t)) {
				t.Errorf("upgraded: %s", line)
			}
			signsIn(t)
			mustRPM(t, "")
			l.GetIn(t, "erased")
			for _, line := range rig.Differences(before, rig.Wiring(t)) {
				t.Errorf("erased: %s", line)
			}
			for _, path := range []string{
				"/usr/share/aad-login", "/var/cache/aad-login", "/run/aad-login",
				filepath.Dir(rig.StoreFile) + "/install-pending",
			} {
				if _, err := os.Lstat(path); err == nil {
					t.Errorf("erased, %s is there", path)
				}
			}
		})
	}
}

// signsIn signs in an administrator, who uses sudo. A home is made.
func signsIn(t *testing.T) {
	t.Helper()
	const name = "admin@contoso.example"
	rig.Must(t, "rm", "-rf", "/home/"+name)
	c := rig.SSH(t, name, "id -Gn; pwd; sudo id -un")
	c.SignIn(name)
	c.Expect(`aad_users aad_admins\n/home/admin@contoso\.example\n`)
	c.SignIn(name)
	c.Expect(`\nroot\n`)
	if status, rest := c.End(); status != 0 {
		t.Errorf("exit status %d, said %q", status, rest)
	}
}

// refuses checks that a denial is a denial. If any part is missing, accounts of ours are refused,
// even with a key, while local users are not affected.
func refuses(t *testing.T, l *rig.Locals) {
	t.Helper()
	c := rig.SSH(t, "norole@contoso.example")
	c.SignIn("norole@contoso.example")
	c.Expect(rig.DeniedSentence)
	if status, rest := c.End(); status != 255 || strings.Contains(rest, "To sign in") {
		t.Errorf("denied: exit status %d, said %q", status, rest)
	}
	const name = "admin@contoso.example"
	for what, file := range map[string]string{
		"PAM module":   "/usr/lib64/security/pam_aad.so",
		"name service": "/usr/lib64/libnss_aad.so.2", "configuration": rig.ConfigFile,
	} {
		t.Run("without "+what, func(t *testing.T) {
			rig.Edit(t, file, func(string) []byte { return nil })
			l.Seen = ""
			l.GetIn(t, "locals")
			c := rig.Open(t, "ssh", append(l.KeyArgs,
				name+"@127.0.0.1", "-o", "BatchMode=yes", "echo in as $(id -un)")...)
			if status, rest := c.End(); status != 255 || strings.Contains(rest, "in as") {
				t.Errorf("an account of ours: exit status %d, said %q", status, rest)
			}
		})
	}
	// Now everything is complete again.
	c = rig.Open(t, "ssh", append(l.KeyArgs, name+"@127.0.0.1", "echo in as $(id -un)")...)
	c.Expect(`in as admin@contoso\.example\n`)
}
