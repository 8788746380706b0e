// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The build refuses a module whose loading would start Go or copy its data, that exports more than its interface, or that could
// start a program.
func TestCheckModules(t *testing.T) {
	starts := filepath.Join(t.TempDir(), "starts.c")
	if err := os.WriteFile(starts, []byte("const char starts[] = \"syscall.forkExec\";\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const asleep, noted, narrow = "-Wl,-T,../../pam/asleep.ld", "-Wl,-init=aad_note_store", "-Wl,--version-script=../../pam/module.map"
	for name, test := range map[string]struct {
		flags []string
		edit  bool // by packaging/asleep
		says  string
	}{
		"Go awake":             {[]string{noted, narrow}, false, "not the compiler's own"},
		"Go's data awake":      {[]string{asleep, noted, narrow}, false, "has Go's data awake"},
		"everything exported":  {[]string{asleep, noted}, false, "exports what it must not"},
		"no note of the store": {[]string{asleep, narrow}, true, "DT_INIT is not aad_note_store"},
		"starts programs":      {[]string{asleep, noted, narrow, starts}, true, "holds code that starts programs: syscall.forkExec"},
		"names libpthread":     {[]string{asleep, noted, narrow, "-Wl,--no-as-needed", "-l:libpthread.so.0"}, true, "needs libpthread"},
		"as it ships":          {[]string{asleep, noted, narrow}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			module := filepath.Join(t.TempDir(), "pam_aad.so")
			must(t, "cc", append([]string{"-shared", "-o", module, "-Wl,--whole-archive", "../../build/" + runtime.GOARCH + "/pam_aad.a", "-Wl,--no-whole-archive",
				"-Wl,-z,relro,-z,now", "-lpam"}, test.flags...)...)
			if test.edit {
				must(t, "go", "run", "../../packaging/asleep", module)
			}
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
		"passwd: files sss\n\n":      "passwd: files sss aad\n\n",
		"group:files\npasswd: files": "group:files aad\npasswd: files aad", // no newline at the end
	} {
		file := filepath.Join(t.TempDir(), "nsswitch.conf")
		if err := os.WriteFile(file, []byte(before), 0o640); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct{ verb, want string }{{"add", after}, {"add", after}, {"remove", before}, {"remove", before}} {
			must(t, "../../packaging/wiring/nsswitch", step.verb, file)
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

// fileAt is the one file of a pattern.
func fileAt(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatal(pattern, files, err)
	}
	return files[0]
}

// debian is the package as built for this machine.
func debian(t *testing.T) string {
	t.Helper()
	return fileAt(t, "../../build/dist/*_"+runtime.GOARCH+".deb")
}

// unwired removes the package for the length of a test, which may then install it; after it all is as before. Accounts stay.
func unwired(t *testing.T) (install func() (string, int)) {
	t.Helper()
	file := debian(t)
	configuration, err := os.ReadFile(configFile)
	if err != nil {
		t.Fatal(err)
	}
	install = func() (string, int) { return command(t, "", "dpkg", "--install", "--force-confnew", file) }
	t.Cleanup(func() {
		if out, status := install(); status != 0 {
			t.Fatal(out)
		}
		if err := replaceFile(configFile, configuration, 0o644); err != nil {
			t.Fatal(err)
		}
		must(t, "aadctl", "config", "apply")
	})
	must(t, "dpkg", "--remove", "aad-login")
	return install
}

// wiring is what the package changes in files of others: path, mode, owner and content of each. ld.so.cache is of every library
// there is.
func wiring(t *testing.T) string {
	t.Helper()
	return must(t, "sh", "-c", wiringCommand)
}

const (
	wiringFiles   = `find /etc /var/lib/pam -path /etc/aad-login -prune -o -path '/etc/ld.so.cache*' -prune -o `
	wiringCommand = wiringFiles + `-printf '%y %m %U:%G %p %l\n' | sort; ` + wiringFiles + `-type f -print0 | sort -z | xargs -0 sha256sum`
)

// What stands in the way of an installation is found before anything has changed, and the message says what to do.
func TestInstallationRefuses(t *testing.T) {
	install := unwired(t)
	for name, c := range map[string]struct{ file, text, says string }{
		"edited stack":         {"/etc/pam.d/common-account", "account required pam_unix.so\n", "Run 'pam-auth-update --force'"},
		"line of somebody's":   {"/etc/pam.d/common-auth", "", "Run 'pam-auth-update --force'"},
		"another PAM module":   {"/lib/security/pam_aad.so", "of another maker", "Move it away"},
		"another name service": {"/lib/x86_64-linux-gnu/libnss_aad.so.2", "of another maker", "Move it away"},
		"another rule":         {"/etc/sudoers.d/aad_admins", "%aad_admins ALL=(ALL) NOPASSWD: ALL\n", "Move it away"},
		"another entry":        {"/etc/nsswitch.conf", "passwd: aad files\ngroup: files\n", "Take it out"},
	} {
		t.Run(name, func(t *testing.T) {
			if before, err := os.ReadFile(c.file); err == nil && c.text == "" {
				c.text = strings.Replace(string(before), "pam_unix.so", "pam_faildelay.so\nauth\trequired\tpam_unix.so", 1)
			}
			put(t, c.file, c.text)
			before := wiring(t)
			out, status := install()
			if status == 0 || !strings.Contains(out, c.file[:strings.LastIndex(c.file, "/")]) || !strings.Contains(out, c.says) {
				t.Errorf("exit status %d, said %s", status, out)
			}
			if wiring(t) != before {
				t.Error("something was changed all the same")
			}
			if state, _ := command(t, "", "dpkg-query", "-W", "-f", "${db:Status-Status}", "aad-login"); state != "config-files" {
				t.Errorf("dpkg says it is %s", state)
			}
		})
	}
}

// A file that cannot be replaced is found before anything has changed, whatever keeps it.
func TestInstallationRefusesWhatCannotBeReplaced(t *testing.T) {
	install := unwired(t)
	for name, c := range map[string]struct {
		file string
		keep func(t *testing.T, file string)
	}{
		"immutable":            {"/etc/nsswitch.conf", makeImmutable},
		"read-only":            {"/etc/nsswitch.conf", mountReadOnly},
		"mounted on":           {"/etc/nsswitch.conf", mountOn},
		"a stack immutable":    {"/etc/pam.d/common-session", makeImmutable},
		"a read-only drop-ins": {"/etc/ssh/sshd_config.d", mountReadOnly},
		"read-only rules":      {"/etc/sudoers.d", mountReadOnly},
	} {
		t.Run(name, func(t *testing.T) {
			before := wiring(t)
			c.keep(t, c.file)
			out, status := install()
			if status == 0 || !strings.Contains(out, "aad-login: "+c.file+" cannot be ") || !strings.Contains(out, "nothing has been changed. See whether it is immutable") {
				t.Errorf("exit status %d, said %s", status, out)
			}
			for _, line := range differences(before, wiring(t)) {
				t.Errorf("something was changed all the same: %s", line)
			}
			if state, _ := command(t, "", "dpkg-query", "-W", "-f", "${db:Status-Status}", "aad-login"); state != "config-files" {
				t.Errorf("dpkg says it is %s", state)
			}
		})
	}
}

func makeImmutable(t *testing.T, file string) {
	t.Helper()
	f, flags, err := attributes(t, file)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags|immutableFlag))
	}
	if err != nil {
		t.Skipf("this file system knows no immutable files: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags)); err != nil {
			t.Error(err)
		}
	})
}

func mountOn(t *testing.T, file string) {
	t.Helper()
	must(t, "mount", "--bind", file, file)
	t.Cleanup(func() { must(t, "umount", file) })
}

func mountReadOnly(t *testing.T, file string) {
	t.Helper()
	mountOn(t, file)
	must(t, "mount", "-o", "remount,bind,ro", file)
}

// put writes a file for the length of a test.
func put(t *testing.T, path, text string) {
	t.Helper()
	if _, err := os.Stat(path); err == nil {
		edit(t, path, func(string) []byte { return []byte(text) })
		return
	}
	made := os.Mkdir(filepath.Dir(path), 0o755) == nil
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(path)
		if made {
			os.Remove(filepath.Dir(path))
		}
	})
}

// An sshd that would not start with the drop-in, or would not start anyway, is found before anything is wired, and so is sudo.
// Mended, dpkg goes on where it stopped.
func TestInstallationChecksFirst(t *testing.T) {
	install := unwired(t)
	before := wiring(t)
	put(t, "/etc/ssh/sshd_config.d/zz.conf", "NoSuchKeyword yes\n")
	broken := wiring(t)
	out, status := install()
	if status == 0 || !strings.Contains(out, "zz.conf: line 1: Bad configuration option") ||
		!strings.Contains(out, "dpkg --configure aad-login") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	if after := wiring(t); after != broken {
		t.Errorf("something was changed all the same")
	}
	must(t, "rm", "/etc/ssh/sshd_config.d/zz.conf")
	must(t, "dpkg", "--configure", "aad-login")
	if wiring(t) == before {
		t.Error("nothing was wired")
	}
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

// TAB completes commands; bash-completion's part is to split the line.
func TestCompletion(t *testing.T) {
	const tab = `compopt() { :; }; _init_completion() { cur=ch prev=config words=(aadctl config ch) cword=2; }
		. /usr/share/bash-completion/completions/aadctl; COMP_TYPE=9; __start_aadctl; echo "${COMPREPLY[@]}"`
	if said := must(t, "bash", "-c", tab); !strings.HasPrefix(said, "check") {
		t.Errorf("config ch TAB makes %q", said)
	}
}

// Built again somewhere else, by somebody with another umask, the package is the same to the byte.
func TestPackageIsReproducible(t *testing.T) {
	dir := t.TempDir()
	must(t, "sh", "-c", `tar -C ../.. --exclude=./build --exclude=./.git -cf - . | tar -C "$0" -xf -`, dir)
	must(t, "dpkg-deb", "--extract", debian(t), filepath.Join(dir, "once"))
	epoch := strings.TrimSpace(must(t, "stat", "-c", "%Y", filepath.Join(dir, "once/usr/sbin/aadctl")))
	build(t, "sh", "-c", `umask 077; mkdir "$0/build" && ln -s "$PWD"/../../build/debian-11-*.tar "$0/build" &&
		make -s -C "$0" deb SOURCE_DATE_EPOCH="$1"`, dir, epoch)
	must(t, "cmp", debian(t), filepath.Join(dir, "build/dist", filepath.Base(debian(t))))
}
