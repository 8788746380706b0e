// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// The build refuses a module that would start Go or copy its data when loaded, that exports more
// than its interface, or that could start a program.
func TestCheckModules(t *testing.T) {
	starts := filepath.Join(t.TempDir(), "starts.c")
	err := os.WriteFile(starts, []byte("const char starts[] = \"syscall.forkExec\";\n"), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	const asleep, noted, narrow = "-Wl,-T,../../../pam/asleep.ld", "-Wl,-init=aad_note_store", "-Wl,--version-script=../../../pam/module.map"
	for name, test := range map[string]struct {
		flags []string
		edit  bool // by packaging/asleep
		says  string
	}{
		"Go awake":             {[]string{noted, narrow}, false, "not the compiler's own"},
		"Go's data awake":      {[]string{asleep, noted, narrow}, false, "has Go's data awake"},
		"everything exported":  {[]string{asleep, noted}, false, "exports what it must not"},
		"no note of the store": {[]string{asleep, narrow}, true, "DT_INIT is not aad_note_store"},
		"starts programs": {[]string{asleep, noted, narrow, starts}, true,
			"holds code that starts programs: syscall.forkExec"},
		"names libpthread": {[]string{asleep, noted, narrow, "-Wl,--no-as-needed",
			"-l:libpthread.so.0"}, true, "needs libpthread"},
		"as it ships": {[]string{asleep, noted, narrow}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			module := filepath.Join(t.TempDir(), "pam_aad.so")
			flags := []string{
				"-shared", "-o", module, "-Wl,--whole-archive",
				"../../../build/" + runtime.GOARCH + "/pam_aad.a", "-Wl,--no-whole-archive",
				"-Wl,-z,relro,-z,now", "-lpam",
			}
			rig.Must(t, "cc", append(flags, test.flags...)...)
			if test.edit {
				rig.Must(t, "go", "run", "../../../packaging/asleep", module)
			}
			out, status := rig.Command(t, "", "../../../packaging/check-modules", "pam", module)
			if (status == 0) != (test.says == "") || !strings.Contains(out, test.says) {
				t.Errorf("exit status %d, said %q, not %q", status, out, test.says)
			}
		})
	}
}

// edited returns a function that runs the script of the package on a nsswitch.conf with this text,
// and checks what is left.
func edited(t *testing.T, text string) (file string, run func(verb, want string)) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "nsswitch.conf")
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return file, func(verb, want string) {
		t.Helper()
		rig.Must(t, "../../../packaging/wiring/nsswitch", verb, file)
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s: of %q %q, want %q, %v", verb, text, got, want, err)
		}
	}
}

func TestNsswitch(t *testing.T) {
	for before, after := range map[string]string{
		"passwd:         files systemd\ngroup:          files systemd\nshadow:         files\n":    "passwd:         files systemd aad\ngroup:          files systemd aad\nshadow:         files\n",
		"passwd: files # no aad here\n\tgroup:\tfiles  # aad\n":                                    "passwd: files aad # no aad here\n\tgroup:\tfiles aad  # aad\n",
		"initgroups: files\ngroup: files [SUCCESS=merge] systemd\n#passwd: files\nnetgroup: nis\n": "initgroups: files aad\ngroup: files [SUCCESS=merge] systemd aad\n#passwd: files\nnetgroup: nis\n",
		"passwd: files sss\n\n":      "passwd: files sss aad\n\n",
		"group:files\npasswd: files": "group:files aad\npasswd: files aad", // no newline at the end
	} {
		file, run := edited(t, before)
		for range 2 {
			run("add", after)
		}
		for range 2 {
			run("remove", before)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o640 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
}

// What an administrator has written behind our service goes with it. Behind another service it
// would end the search there.
func TestNsswitchActionGoesToo(t *testing.T) {
	for before, after := range map[string]string{
		"passwd: files aad [NOTFOUND=return] ldap\n":         "passwd: files ldap\n",
		"passwd: files aad[NOTFOUND=return] ldap\n":          "passwd: files ldap\n",
		"group: files [SUCCESS=merge] aad [SUCCESS=merge]\n": "group: files [SUCCESS=merge]\n",
		"passwd: files aad #[NOTFOUND=return]\n":             "passwd: files #[NOTFOUND=return]\n",
		"passwd: files aadx [NOTFOUND=return]\n":             "passwd: files aadx [NOTFOUND=return]\n",
	} {
		_, run := edited(t, before)
		run("remove", after)
	}
}

const scripts = "/var/lib/dpkg/info/aad-login."

// An obstacle to an installation is found before anything has changed, and the message says what to
// do.
func TestInstallationRefuses(t *testing.T) {
	install := rig.Unwired(t)
	for name, c := range map[string]struct{ file, text, says string }{
		"edited stack": {"/etc/pam.d/common-account", "account required pam_unix.so\n",
			"Run 'pam-auth-update --force'"},
		"line of somebody's": {"/etc/pam.d/common-auth", "", "Run 'pam-auth-update --force'"},
		"another PAM module": {"/lib/security/pam_aad.so", "of another maker", "Move it away"},
		"another name service": {"/lib/x86_64-linux-gnu/libnss_aad.so.2",
			"of another maker", "Move it away"},
		"another rule": {"/etc/sudoers.d/aad_admins", "%aad_admins ALL=(ALL) NOPASSWD: ALL\n",
			"Move it away"},
		"another entry": {"/etc/nsswitch.conf", "passwd: aad files\ngroup: files\n", "Take it out"},
	} {
		t.Run(name, func(t *testing.T) {
			if before, err := os.ReadFile(c.file); err == nil && c.text == "" {
				c.text = strings.Replace(string(before), "pam_unix.so",
					"pam_faildelay.so\nauth\trequired\tpam_unix.so", 1)
			}
			rig.Put(t, c.file, c.text)
			before := rig.Wiring(t)
			out, status := install()
			if status == 0 || !strings.Contains(out, c.file[:strings.LastIndex(c.file, "/")]) ||
				!strings.Contains(out, c.says) {
				t.Errorf("exit status %d, said %s", status, out)
			}
			if rig.Wiring(t) != before {
				t.Error("something was changed all the same")
			}
			state, _ := rig.Command(t, "", "dpkg-query", "-W", "-f", "${db:Status-Status}",
				"aad-login")
			if state != "config-files" {
				t.Errorf("dpkg says it is %s", state)
			}
		})
	}
}

// A file that cannot be replaced is found before anything has changed, whatever the reason.
func TestInstallationRefusesWhatCannotBeReplaced(t *testing.T) {
	install := rig.Unwired(t)
	for name, c := range map[string]struct {
		file string
		keep func(t *testing.T, file string)
	}{
		"immutable":            {"/etc/nsswitch.conf", rig.MakeImmutable},
		"read-only":            {"/etc/nsswitch.conf", rig.MountReadOnly},
		"mounted on":           {"/etc/nsswitch.conf", rig.MountOn},
		"a stack immutable":    {"/etc/pam.d/common-session", rig.MakeImmutable},
		"a read-only drop-ins": {"/etc/ssh/sshd_config.d", rig.MountReadOnly},
		"read-only rules":      {"/etc/sudoers.d", rig.MountReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			before := rig.Wiring(t)
			c.keep(t, c.file)
			out, status := install()
			if status == 0 || !strings.Contains(out, "aad-login: "+c.file+" cannot be ") ||
				!strings.Contains(out, "nothing has been changed. See whether it is immutable") {
				t.Errorf("exit status %d, said %s", status, out)
			}
			for _, line := range rig.Differences(before, rig.Wiring(t)) {
				t.Errorf("something was changed all the same: %s", line)
			}
			state, _ := rig.Command(t, "", "dpkg-query", "-W", "-f", "${db:Status-Status}",
				"aad-login")
			if state != "config-files" {
				t.Errorf("dpkg says it is %s", state)
			}
		})
	}
}

// An sshd that would not start, with the drop-in or without it, is found before anything is wired.
// So is such a sudo. After it is mended, dpkg goes on where it stopped.
func TestInstallationChecksFirst(t *testing.T) {
	install := rig.Unwired(t)
	before := rig.Wiring(t)
	rig.Put(t, "/etc/ssh/sshd_config.d/zz.conf", "NoSuchKeyword yes\n")
	broken := rig.Wiring(t)
	out, status := install()
	if status == 0 || !strings.Contains(out, "zz.conf: line 1: Bad configuration option") ||
		!strings.Contains(out, "dpkg --configure aad-login") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	if after := rig.Wiring(t); after != broken {
		t.Errorf("something was changed all the same")
	}
	rig.Must(t, "rm", "/etc/ssh/sshd_config.d/zz.conf")
	rig.Must(t, "dpkg", "--configure", "aad-login")
	if rig.Wiring(t) == before {
		t.Error("nothing was wired")
	}
}

// The drop-in opens keyboard-interactive for our accounts only, because with UsePAM it asks for
// passwords, too.
func TestSshdStaysAsHardenedAsItWas(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	for user, want := range map[string]string{
		"root": "no", "local": "no", "user@contoso.example": "yes", "never@contoso.example": "yes",
		"User@Contoso.Example": "yes",
	} {
		config := rig.Must(t, "/usr/sbin/sshd", "-T", "-C", "user="+user+",host=h,addr=192.0.2.1")
		if !strings.Contains(config, "\nkbdinteractiveauthentication "+want+"\n") ||
			!strings.Contains(config, "\nusepam yes\n") {
			t.Errorf("%s: not %s", user, want)
		}
		if !strings.Contains(config, "logingracetime 300\n") {
			t.Error("LoginGraceTime is not beyond sign_in.timeout")
		}
	}
}

// TAB completes commands. bash-completion splits the line.
func TestCompletion(t *testing.T) {
	const tab = `compopt() { :; }; _init_completion() { cur=ch prev=config words=(aadctl config ch) cword=2; }
		. /usr/share/bash-completion/completions/aadctl; COMP_TYPE=9; __start_aadctl; echo "${COMPREPLY[@]}"`
	if said := rig.Must(t, "bash", "-c", tab); !strings.HasPrefix(said, "check") {
		t.Errorf("config ch TAB makes %q", said)
	}
}

// A package that is built elsewhere with another umask has the same bytes.
func TestPackageIsReproducible(t *testing.T) {
	dir := t.TempDir()
	rig.Must(t, "sh", "-c",
		`tar -C ../../.. --exclude=./build --exclude=./.git -cf - . | tar -C "$0" -xf -`, dir)
	rig.Must(t, "dpkg-deb", "--extract", rig.DebianPackage(t), filepath.Join(dir, "once"))
	epoch := strings.TrimSpace(rig.Must(t, "stat", "-c", "%Y",
		filepath.Join(dir, "once/usr/sbin/aadctl")))
	rig.Build(t, "sh", "-c",
		`umask 077; mkdir "$0/build" && ln -s "$PWD"/../../../build/debian-11-*.tar "$0/build" &&
		make -s -C "$0" deb SOURCE_DATE_EPOCH="$1"`, dir, epoch)
	rig.Must(t, "cmp", rig.DebianPackage(t),
		filepath.Join(dir, "build/dist", filepath.Base(rig.DebianPackage(t))))
}
