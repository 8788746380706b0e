// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aadlogin/internal/account"
)

// library is libnss_aad.so.2, built as it ships except for the path of the store, and a program
// that loads it.
type library struct {
	so, probe, store string
}

func compile(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc %v: %v\n%s", args, err, out)
	}
}

func buildLibrary(t *testing.T) library {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the library reads no store but root's")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "store"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Dir(dir)} { // others run the probe, too
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	l := library{
		filepath.Join(dir, "libnss_aad.so.2"), filepath.Join(dir, "probe"),
		filepath.Join(dir, "store", "accounts.cdb"),
	}
	compile(t, "-shared", "-O3", "-fno-semantic-interposition", "-fPIC", "-fstack-protector-strong",
		"-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement",
		"-Wl,-soname,libnss_aad.so.2", "-Wl,-z,relro,-z,now", "-Wl,--version-script=module.map",
		fmt.Sprintf("-DAAD_STORE=%q", l.store), "-I.", "-o", l.so, oneUnit(t, dir))
	compile(t, "-O1", "-Wall", "-o", l.probe, "testdata/probe.c", "-ldl")
	return l
}

// oneUnit writes the translation unit that the Makefile makes of the sources.
func oneUnit(t *testing.T, dir string) string {
	t.Helper()
	sources, err := filepath.Glob("*.c")
	if err != nil || len(sources) < 5 {
		t.Fatalf("sources %q, %v", sources, err)
	}
	var text strings.Builder
	for _, s := range sources {
		fmt.Fprintf(&text, "#include %q\n", s)
	}
	path := filepath.Join(dir, "library.c")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (l library) write(t *testing.T, data []byte) {
	t.Helper()
	if err := os.RemoveAll(l.store); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.store, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask returns the probe's lines.
func (l library) ask(t *testing.T, args ...string) []string {
	t.Helper()
	return l.askAs(t, l.probe, 0, args...)
}

func (l library) askAs(t *testing.T, probe string, uid uint32, args ...string) []string {
	t.Helper()
	cmd := exec.Command(probe, append([]string{l.so}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("probe %q: %v\n%s", args, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func line(a account.Account) string {
	return fmt.Sprintf("1 4242 %s:*:%d:%d:%s:%s:%s", a.Name, a.UID, a.UID, a.Gecos, a.Home, a.Shell)
}

// Statuses and errno as glibc's manual has them. errno stays as it was (4242) unless there is an
// error.
const (
	notFound    = "0 4242"
	unavailable = "-1 2"
	tooSmall    = "-2 34"
)

func TestLibrary(t *testing.T) {
	l := buildLibrary(t)
	data, snapshot := build(t, testRules(), people)
	l.write(t, data)
	admin, err := snapshot.ByName("admin@contoso.com")
	if err != nil {
		t.Fatal(err)
	}
	uid, low := fmt.Sprint(admin.UID), testRules().Low
	got := l.ask(t, "pwnam", admin.Name, "pwuid", uid, "small", admin.Name, "pwnam",
		"new@contoso.com", "pwnam", "root", "pwuid", "0",
		"grnam", admin.Name, "grgid", uid, "grnam", "aad_users", "grgid", "0", "grnam", "root",
		"init", admin.Name+"="+uid, "init", admin.Name+"=4242", "init",
		"root=0", "held", admin.Name)
	want := []string{
		line(admin), line(admin), tooSmall, notFound, notFound, notFound,
		fmt.Sprintf("1 4242 %s:*:%s:", admin.Name, uid),
		fmt.Sprintf("1 4242 %s:*:%s:", admin.Name, uid),
		fmt.Sprintf("1 4242 aad_users:*:%d:", low), notFound, notFound,
		fmt.Sprintf("1 4242 %d %d 27 100", low, low+1), notFound, notFound, "0 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestLibraryEnumerates(t *testing.T) {
	l := buildLibrary(t)
	data, snapshot := build(t, testRules(), people)
	l.write(t, data)
	want := []string{}
	groups := []string{fmt.Sprintf("1 4242 aad_users:*:%d:", testRules().Low), ""}
	var admins []string
	for a := range snapshot.All() {
		if a.Removed.IsZero() {
			want = append(want, line(a))
			groups = append(groups, fmt.Sprintf("1 4242 %s:*:%d:", a.Name, a.UID))
			if a.Admin {
				admins = append(admins, a.Name)
			}
		}
	}
	groups[1] = fmt.Sprintf("1 4242 aad_admins:*:%d:%s", testRules().Low+1,
		strings.Join(admins, ","))
	want, groups = append(want, notFound), append(groups, notFound)
	if got := l.ask(t, "pwent", ""); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := l.ask(t, "grent", ""); !slices.Equal(got, groups) {
		t.Errorf("got %q, want %q", got, groups)
	}
	// The store is replaced by a file of the same accounts, of none, and of garbage.
	empty, _ := build(t, testRules(), nobody)
	for _, c := range []struct {
		with []byte
		want []string
	}{{slices.Clone(data), want}, {empty, []string{want[0], notFound}},
		{data[:3000], []string{want[0], unavailable}}} {
		l.write(t, data)
		// as if sealed and so mapped, so that its mark is seen
		if err := os.Chmod(l.store, 0o444); err != nil {
			t.Fatal(err)
		}
		replacement := l.store + ".new"
		if err := os.WriteFile(replacement, c.with, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := l.ask(t, "pwent", replacement+"="+l.store); !slices.Equal(got, c.want) {
			t.Errorf("replaced by %d bytes: got %q, want %q", len(c.with), got, c.want)
		}
	}
}

// A file that is no store of root's is refused, quickly and without a message.
func TestLibraryRefusesOtherFiles(t *testing.T) {
	l := buildLibrary(t)
	data, _ := build(t, testRules(), people)
	for what, spoil := range map[string]func() error{
		"missing":   func() error { return os.Remove(l.store) },
		"empty":     func() error { return os.Truncate(l.store, 0) },
		"truncated": func() error { return os.Truncate(l.store, int64(len(data)-1)) },
		"garbage": func() error {
			return os.WriteFile(l.store, []byte(strings.Repeat("garbage ", 1000)), 0o644)
		},
		"group-writable": func() error { return os.Chmod(l.store, 0o664) },
		"world-writable": func() error { return os.Chmod(l.store, 0o646) },
		"not root's":     func() error { return os.Chown(l.store, 65534, 0) },
		"symlink": func() error {
			if err := os.Rename(l.store, l.store+".real"); err != nil {
				return err
			}
			return os.Symlink(l.store+".real", l.store)
		},
		"directory": func() error {
			if err := os.Remove(l.store); err != nil {
				return err
			}
			return os.Mkdir(l.store, 0o755)
		},
		"FIFO": func() error {
			if err := os.Remove(l.store); err != nil {
				return err
			}
			return syscall.Mkfifo(l.store, 0o644)
		},
	} {
		l.write(t, data)
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		got := l.ask(t, "pwnam", "alice@contoso.com", "pwuid", "3197663", "grnam", "aad_users",
			"grgid", "3197663", "init", "alice@contoso.com=3197663", "pwent", "", "grent", "")
		want := unavailable
		if what == "missing" {
			want = notFound
		}
		for i, line := range got {
			if line != want {
				t.Errorf("%s: answer %d is %q, want %q", what, i, line, want)
			}
		}
	}
}

func TestLibraryExports(t *testing.T) {
	l := buildLibrary(t)
	out, err := exec.Command("nm", "-D", "--defined-only", "--format=posix", l.so).Output()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		got = append(got, strings.Fields(line)[0])
	}
	want := []string{
		"_nss_aad_endgrent", "_nss_aad_endpwent", "_nss_aad_getgrent_r",
		"_nss_aad_getgrgid_r", "_nss_aad_getgrnam_r",
		"_nss_aad_getpwent_r", "_nss_aad_getpwnam_r", "_nss_aad_getpwuid_r",
		"_nss_aad_initgroups_dyn",
		"_nss_aad_setgrent", "_nss_aad_setpwent",
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("exports %q", got)
	}
}
