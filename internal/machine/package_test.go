// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The build refuses a module whose loading would start Go, or that exports more than its interface.
func TestCheckModules(t *testing.T) {
	for name, test := range map[string]struct {
		archive string
		flags   []string
		says    string
	}{
		"Go awake":             {"pam_aad.a", []string{"-Wl,--version-script=../../pam/module.map", "-Wl,-init=aad_note_store"}, "more than one entry"},
		"everything exported":  {"pam_aad_asleep.a", []string{"-Wl,-init=aad_note_store"}, "exports what it must not"},
		"no note of the store": {"pam_aad_asleep.a", []string{"-Wl,--version-script=../../pam/module.map"}, "DT_INIT is not aad_note_store"},
		"as it ships":          {"pam_aad_asleep.a", []string{"-Wl,--version-script=../../pam/module.map", "-Wl,-init=aad_note_store"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			module := filepath.Join(t.TempDir(), "pam_aad.so")
			must(t, "cc", append([]string{"-shared", "-o", module, "-Wl,--whole-archive", "../../build/" + test.archive, "-Wl,--no-whole-archive",
				"-Wl,-z,relro,-z,now", "-lpam", "-lpthread"}, test.flags...)...)
			out, status := command(t, "", "../../packaging/check-modules", "pam", module)
			if (status == 0) != (test.says == "") || !strings.Contains(out, test.says) {
				t.Errorf("exit status %d, said %q, not %q", status, out, test.says)
			}
		})
	}
}

func TestNsswitch(t *testing.T) {
	for before, after := range map[string]string{
		"passwd:         files systemd\ngroup:          files systemd\nshadow:         files\n":    "passwd:         files systemd aad\ngroup:          files systemd aad\nshadow:         files\n",
		"passwd: files # no aad here\n\tgroup:\tfiles  # aad\n":                                    "passwd: files aad # no aad here\n\tgroup:\tfiles aad  # aad\n",
		"initgroups: files\ngroup: files [SUCCESS=merge] systemd\n#passwd: files\nnetgroup: nis\n": "initgroups: files aad\ngroup: files [SUCCESS=merge] systemd aad\n#passwd: files\nnetgroup: nis\n",
		"passwd: files sss\n\n": "passwd: files sss aad\n\n",
	} {
		file := filepath.Join(t.TempDir(), "nsswitch.conf")
		if err := os.WriteFile(file, []byte(before), 0o640); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ verb, want string }{{"add", after}, {"add", after}, {"remove", before}, {"remove", before}} {
			must(t, "../../packaging/debian/nsswitch", step.verb, file)
			if got, err := os.ReadFile(file); err != nil || string(got) != step.want {
				t.Errorf("%s: %q, want %q, %v", step.verb, got, step.want, err)
			}
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
}

const scripts = "/var/lib/dpkg/info/aad-login."

// Where a stack was edited by hand, pam-auth-update declines. Then nothing at all is set up, and the installation says why.
func TestInstallationIsAllOrNothing(t *testing.T) {
	must(t, scripts+"prerm", "remove")
	t.Cleanup(func() {
		must(t, "pam-auth-update", "--package", "--force")
		must(t, scripts+"postinst", "configure", "")
	})
	edit(t, "/etc/pam.d/common-auth", func(string) []byte { return []byte("auth required pam_unix.so\n") })
	must(t, scripts+"preinst", "install")
	out, status := command(t, "", scripts+"postinst", "configure", "")
	if status == 0 || !strings.Contains(out, "was edited by hand") {
		t.Errorf("exit status %d, said %q", status, out)
	}
	if text, err := os.ReadFile("/etc/nsswitch.conf"); err != nil || strings.Contains(string(text), "aad") {
		t.Errorf("nsswitch.conf was changed all the same: %s %v", text, err)
	}
}

// Removed, the machine is as before, and an installation after that is whole again. An upgrade leaves alone what the
// administrator has changed.
func TestRemoveAndInstall(t *testing.T) {
	packages, err := filepath.Glob("../../build/dist/*.deb")
	if err != nil || len(packages) != 1 {
		t.Fatal(packages, err)
	}
	wired := func() int {
		n := 0
		for _, file := range []string{"/etc/pam.d/common-auth", "/etc/pam.d/common-account", "/etc/nsswitch.conf"} {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if regexp.MustCompile(`(?m)^[^#]*\b(pam_aad\.so|aad)`).Match(text) {
				n++
			}
		}
		return n
	}
	install := func() { must(t, "dpkg", "--install", "--force-confold", packages[0]) }
	must(t, "dpkg", "--remove", "aad-login")
	if n := wired(); n != 0 {
		t.Errorf("removed, %d files name the modules", n)
	}
	install()
	if n := wired(); n != 3 {
		t.Errorf("installed, %d of 3 files name the modules", n)
	}
	must(t, "/usr/share/aad-login/nsswitch", "remove")
	install() // the same version again: an upgrade to dpkg
	if n := wired(); n != 2 {
		t.Errorf("upgraded, %d of 2 files name the modules", n)
	}
	must(t, "/usr/share/aad-login/nsswitch", "add")
}

// The drop-in opens keyboard-interactive for our accounts, and for nobody else: with UsePAM it asks for passwords too.
func TestSshdStaysAsHardenedAsItWas(t *testing.T) {
	stored(t, "user@contoso.example")
	for user, want := range map[string]string{
		"root": "no", "local": "no", "user@contoso.example": "yes", "never@contoso.example": "yes", "User@Contoso.Example": "yes",
	} {
		config := must(t, "/usr/sbin/sshd", "-T", "-C", "user="+user+",host=h,addr=192.0.2.1")
		if !strings.Contains(config, "\nkbdinteractiveauthentication "+want+"\n") || !strings.Contains(config, "\nusepam yes\n") {
			t.Errorf("%s: not %s", user, want)
		}
		if !strings.Contains(config, "logingracetime 300\n") {
			t.Error("LoginGraceTime is not beyond sign_in.timeout")
		}
	}
}
