// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rpm

import (
	"flag"
	"os"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// These tests of the rpm run on a machine that differs from one of the RHEL family or SUSE only in
// its files: libpam, sshd, sudo and rpm are real, and so is every script that rpm runs.

// shared is the directory of the rpm's scripts.
const shared = "/usr/share/aad-login/"

// long skips a test that "make test" has no time for.
var everything = flag.Bool("rpm", false, "all tests of the rpm")

func long(t *testing.T) {
	t.Helper()
	if !*everything {
		t.Skip("run by: make rpm")
	}
}

func TestRPM(t *testing.T) {
	file := rig.RPMOf(t, "1.2.3")
	for format, want := range map[string]string{
		"%{NAME} %{VERSION} %{RELEASE} %{ARCH} %{LICENSE}": "aad-login 1.2.3 1 x86_64 Apache-2.0",
		"[%{RECOMMENDS} ]": "openssh-server sudo ",
		"[%{CONFLICTS} ]": "aadlogin aadsshlogin aadsshlogin-selinux himmelblau libnss-aad " +
			"libpam-aad nss-himmelblau pam-himmelblau ",
		// The rpm of RHEL 8 and of SLES 15 can read it, and it holds nothing of the machine it was
		// built on.
		"%{PAYLOADCOMPRESSOR} %{PAYLOADFORMAT} %{FILEDIGESTALGO} %{BUILDHOST}": "xz cpio 8 " +
			"localhost",
	} {
		if got := rig.Query(t, file, format); got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
	requires := rig.Query(t, file, "[%{REQUIRENAME}\n]")
	for _, name := range []string{"pam", "libpam.so.0(LIBPAM_1.0)(64bit)", "libc.so.6()(64bit)"} {
		if !strings.Contains("\n"+requires, "\n"+name+"\n") {
			t.Errorf("does not require %s", name)
		}
	}
	if got := rig.Must(t, "rpm", "-qpc", file); got != rig.ConfigFile+"\n" {
		t.Errorf("configuration files: %q", got)
	}
	flags := rig.Query(t, file, "[%{FILENAMES} %{FILEFLAGS:fflags}\n]")
	if !strings.Contains(flags, rig.ConfigFile+" cn\n") {
		t.Errorf("the configuration is not noreplace: %s", flags)
	}
	out := rig.Must(t, "rpm", "-qp", "--changelog", file)
	if !strings.HasPrefix(out, "* Wed Nov 26 2025 The aad-login authors ") {
		t.Errorf("changelog: %q", out)
	}
	out, status := rig.Command(t, "", "rpmlint", "-c", "../../../packaging/rpm/rpmlint.toml", file)
	if status != 0 || !strings.Contains(out, " 0 errors, 0 warnings") {
		t.Errorf("rpmlint: exit status %d, said %s", status, out)
	}
	for script, tag := range map[string]string{
		"pre":    "PREIN",
		"post":   "POSTIN",
		"preun":  "PREUN",
		"postun": "POSTUN",
	} {
		want, err := os.ReadFile("../../../packaging/rpm/" + script)
		if err != nil || rig.Query(t, file, "%{"+tag+"}") != string(want) {
			t.Errorf("%%%s is not the file: %v", script, err)
		}
	}
}

// The same tree, copied by a user with another umask, yields the same bytes.
func TestRPMIsReproducible(t *testing.T) {
	rig.RPMOf(t, "1.2.3") // for its tree
	dir := t.TempDir()
	rig.Must(t, "sh", "-c",
		`cp -r /tmp/rpm/tree "$0/tree" && cd "$0/tree/usr" && truncate -s 40k sbin/aadctl lib64/security/pam_aad.so`, dir)
	rig.Build(t, "../../../packaging/rpm/build", dir+"/tree", "x86_64", "1.2.3", dir+"/once")
	rig.Build(t, "sh", "-c",
		`umask 077; cp -r "$0/tree" "$0/copy"; ../../../packaging/rpm/build "$0/copy" x86_64 1.2.3 "$0/again"`, dir)
	rig.Must(t, "sh", "-c", `cmp "$0"/once/*.rpm "$0"/again/*.rpm`, dir)
}

// Installed into an empty root, the package brings exactly what it lists, with its modes.
func TestRPMFiles(t *testing.T) {
	file, root := rig.RPMOf(t, "1.2.3"), t.TempDir()
	rig.Must(t, "rpm", "--root", root, "--force-debian", "-i", "--noscripts", "--nodeps", file)
	modes := map[string]string{}
	const format = "[%{FILENAMES} %{FILEMODES:hex} %{FILEUSERNAME}:%{FILEGROUPNAME}\n]"
	for line := range strings.Lines(rig.Query(t, file, format)) {
		f := strings.Fields(line)
		modes[f[0]] = f[1]
		there := strings.Fields(rig.Must(t, "stat", "-c", "%f %u:%g", root+f[0]))
		if there[0] != f[1] || there[1] != "0:0" || f[2] != "root:root" {
			t.Errorf("%s: it is %v", strings.TrimSpace(line), there)
		}
	}
	files := rig.Must(t, "find", root, "-type", "f", "-not", "-path", root+"*/.rpmdb/*",
		"-not", "-path", root+"/var/lib/rpm/*", "-printf", "/%P ")
	for path := range strings.FieldsSeq(files) {
		if modes[path] == "" {
			t.Errorf("%s is not listed", path)
		}
	}
	const directory, program, data = "41", "81ed", "81a4"
	for path, mode := range map[string]string{
		"/usr/lib64/security/pam_aad.so": program, "/usr/lib64/libnss_aad.so.2": program,
		"/usr/sbin/aadctl": program, shared + "wiring": program,
		rig.ConfigFile: data, shared + "aad_admins": data,
		shared + "40-aad-login.conf.before-8.7": data,
		"/usr/share/zsh/site-functions/_aadctl": data, "/usr/share/man/man8/aadctl.8.gz": data,
		"/var/cache/aad-login": directory + "c0", "/var/lib/aad-login": directory + "ed",
	} {
		if modes[path] != mode {
			t.Errorf("%s has mode %s, not %s", path, modes[path], mode)
		}
	}
	for _, path := range []string{
		"/etc/sudoers.d/aad_admins", "/etc/ssh/sshd_config.d/40-aad-login.conf", "/etc/pam.d",
	} {
		if _, err := os.Stat(root + path); err == nil {
			t.Errorf("%s is there before anybody has looked whether it may be", path)
		}
	}
}
