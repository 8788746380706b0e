// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// host is a program of testdata that replaces the store itself, and its arguments about the store.
type host struct {
	library
	command []string
}

func (l library) host(t *testing.T, name string) host {
	t.Helper()
	template := filepath.Join(filepath.Dir(l.store), "template.cdb")
	data, _ := build(t, testRules(), crowd(424242))
	if err := os.WriteFile(template, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return host{l, append(l.program(t, name, ""), l.store, template, "user3@contoso.com", "50003")}
}

// reset puts generation 0 there.
func (h host) reset(t *testing.T, mode os.FileMode) {
	t.Helper()
	data, err := os.ReadFile(h.command[3])
	if err != nil {
		t.Fatal(err)
	}
	h.write(t, patched(data, 0))
	if err := os.Chmod(h.store, mode); err != nil {
		t.Fatal(err)
	}
}

func TestHosts(t *testing.T) {
	h := buildLibrary(t).host(t, "hosts")
	empty := t.TempDir()
	for _, c := range []struct {
		surroundings string
		modes        []os.FileMode // sealed and so mapped, or copied
	}{
		{"chroot first", []os.FileMode{0o444, 0o644}},
		{"chroot after", []os.FileMode{0o444, 0o644}},
		{"no descriptors", []os.FileMode{0o444, 0o644}},
		{"restored", []os.FileMode{0o444}},
		{"no memory", []os.FileMode{0o444, 0o644}},
		{"closed", []os.FileMode{0o444}},
		{"signals blocked", []os.FileMode{0o444, 0o644}},
		{"unprivileged", []os.FileMode{0o444, 0o644}},
		{"vfork", []os.FileMode{0o444}},
		{"cut short", []os.FileMode{0o644}},
		{"the second", []os.FileMode{0o444}},
	} {
		for _, mode := range c.modes {
			h.reset(t, mode)
			holds(t, h.command, c.surroundings, empty)
		}
	}
}

// setImmutable reports whether it succeeded. Some file systems have no such attribute.
func setImmutable(t *testing.T, path string, on bool) bool {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return false
	}
	if flags &^= unix.STATX_ATTR_IMMUTABLE; on { // the bit is FS_IMMUTABLE_FL, too
		flags |= unix.STATX_ATTR_IMMUTABLE
	}
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags)) == nil
}

// Not even root can cut a file short under a mapping, because the kernel refuses it.
func TestHostOfSealedStore(t *testing.T) {
	h := buildLibrary(t).host(t, "hosts")
	h.reset(t, 0o444)
	if !setImmutable(t, h.store, true) {
		t.Skip("this file system knows no immutable files")
	}
	defer setImmutable(t, h.store, false)
	holds(t, h.command, "sealed", t.TempDir())
}

// Anybody starts set-user-ID programs, with any environment.
func TestHostWithSetUserID(t *testing.T) {
	h := buildLibrary(t).host(t, "hosts")
	h.reset(t, 0o444)
	if err := os.Chmod(h.command[0], 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.cdb")
	if err := os.WriteFile(other, []byte("not this one"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := start(t, h.command, "set-user-ID", "/")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	cmd.Env = []string{
		"AAD_STORE=" + other, "LD_LIBRARY_PATH=/nonexistent", "LD_PRELOAD=libnss_files.so.2",
		"LD_BIND_NOW=", "LD_AUDIT=libm.so.6",
		"HOME=" + other, "TMPDIR=" + filepath.Dir(other), "NSS_DEBUG=9", "GCONV_PATH=/nonexistent",
		"MALLOC_CHECK_=3",
		"GLIBC_TUNABLES=glibc.malloc.check=3", "TZ=:/dev/zero", "HOSTALIASES=" + other,
		strings.Repeat("X", 60000) + "=" + strings.Repeat("Y", 60000),
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// In a filter with only the system calls of a lookup in /etc/passwd. Any other call kills the
// program, which the last case shows.
func TestHostInSandbox(t *testing.T) {
	h := buildLibrary(t).host(t, "confined")
	for _, mode := range []os.FileMode{0o444, 0o644} {
		h.reset(t, mode)
		holds(t, h.command, "first")
		holds(t, h.command, "after")
		err := start(t, h.command, "not").Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGSYS {
			t.Errorf("what the filter does not allow: %v", err)
		}
		holds(t, h.command, "none") // the last: it removes the store
	}
}

// On the smallest stack that a thread may have.
func TestHostWithSmallStack(t *testing.T) {
	h := buildLibrary(t).host(t, "confined")
	for _, mode := range []os.FileMode{0o444, 0o644} {
		h.reset(t, mode)
		t.Log(holds(t, h.command, "stack"))
	}
}

// A program that loads and unloads the library again and again keeps nothing of it.
func TestHostThatUnloads(t *testing.T) {
	h := buildLibrary(t).host(t, "unload")
	for _, mode := range []os.FileMode{0o444, 0o644} {
		h.reset(t, mode)
		holds(t, h.command, "10000")
	}
}

// Anything may happen in the middle of a lookup, between any two of its system calls: a signal
// handler that looks up, too, or leaves for good by siglongjmp(3); a fork; the file being cut
// short.
func TestHostInterrupted(t *testing.T) {
	h := buildLibrary(t).host(t, "interrupt")
	for _, mode := range []os.FileMode{0o444, 0o644} {
		for _, by := range []string{"lookup", "fork", "longjmp", "replacement", "truncation"} {
			h.reset(t, mode)
			if by == "truncation" && mode == 0o444 {
				continue // sealed against it
			}
			out := holds(t, h.command, by)
			if t.Log(by, out); !slices.Contains(strings.Fields(out), "interruptions") {
				t.Errorf("%s: %q", by, out)
			}
		}
		h.reset(t, mode)
		holds(t, h.command, "storm")
	}
}
