// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const immutableFlag = 0x10 // FS_IMMUTABLE_FL of linux/fs.h

// attributes opens a file, for as long as the test runs, and reads those of chattr(1). There may be none on its file system.
func attributes(t *testing.T, path string) (f *os.File, flags uint32, err error) {
	t.Helper()
	f, err = os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	flags, err = unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return f, flags, err
}

func immutable(t *testing.T, path string) bool {
	t.Helper()
	_, flags, err := attributes(t, path)
	return err == nil && flags&immutableFlag != 0
}

func makeMutable(t *testing.T, path string) {
	t.Helper()
	f, flags, err := attributes(t, path)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags&^immutableFlag))
	}
	if err != nil {
		t.Fatal(err)
	}
}

var imports = 70000

// imported adds an account to the store, each time another, and returns its name.
func imported(t *testing.T) string {
	t.Helper()
	imports++
	name := fmt.Sprintf("imported%d@contoso.example", imports)
	must(t, "aadctl", "account", "import", passwdFile(t, name, imports))
	return name
}

func passwdFile(t *testing.T, name string, uid int) string {
	t.Helper()
	line := fmt.Sprintf("%s:x:%d:%d::/home/%[1]s:/bin/sh\n", name, uid, uid)
	path := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// needSealing skips where a file beside the store cannot be made immutable: there, readers copy the store.
func needSealing(t *testing.T) {
	t.Helper()
	f, err := os.CreateTemp(filepath.Dir(storeFile), "seal")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, immutableFlag); err != nil {
		t.Skipf("this file system knows no immutable files: %v", err)
	}
	makeMutable(t, f.Name())
}

// unseal leaves the store as a writer does that is killed half way, and as a backup does that is put back.
func unseal(t *testing.T, mode os.FileMode) {
	t.Helper()
	makeMutable(t, storeFile)
	if err := os.Chmod(storeFile, mode); err != nil {
		t.Fatal(err)
	}
}

// The store that every process has mapped cannot be cut short or written into, by root neither, and neither can the one
// before it, which some may still have. The next change of it goes on as ever.
func TestStoreIsSealed(t *testing.T) {
	needSealing(t)
	first, second := imported(t), imported(t)
	for _, path := range []string{storeFile, storeFile + ".previous"} {
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o444 || !immutable(t, path) {
			t.Errorf("%s: %v, %v, immutable %v", path, info.Mode(), err, immutable(t, path))
		}
		if err := os.Truncate(path, 0); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: truncated: %v", path, err)
		}
		if err := os.WriteFile(path, nil, 0o644); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: overwritten: %v", path, err)
		}
	}
	if got := must(t, "getent", "passwd", first, second); strings.Count(got, "\n") != 2 {
		t.Errorf("getent says %q", got)
	}
}

// Whatever left it open, the next writer seals the store, also when it has nothing to write.
func TestStoreIsSealedAgain(t *testing.T) {
	needSealing(t)
	imported(t)
	for _, mode := range []os.FileMode{0o444, 0o644} {
		unseal(t, mode)
		must(t, "aadctl", "config", "apply")
		if info, err := os.Stat(storeFile); err != nil || info.Mode() != 0o444 || !immutable(t, storeFile) {
			t.Errorf("left with mode %v: %v, %v, immutable %v", mode, info.Mode(), err, immutable(t, storeFile))
		}
	}
}

// A change that fails half way leaves the store sealed as it was.
func TestStoreIsSealedAfterAFailure(t *testing.T) {
	needSealing(t)
	imported(t)
	before, previous := must(t, "sha256sum", storeFile), storeFile+".previous"
	makeMutable(t, previous)
	if err := os.Remove(previous); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(previous, 0o755); err != nil { // which the store cannot be renamed to
		t.Fatal(err)
	}
	out, status := command(t, "", "aadctl", "account", "import", passwdFile(t, "failed@contoso.example", 60002))
	if err := os.Remove(previous); err != nil {
		t.Fatal(err)
	}
	if status == 0 || !immutable(t, storeFile) || must(t, "sha256sum", storeFile) != before {
		t.Errorf("exit status %d, said %q, immutable %v", status, out, immutable(t, storeFile))
	}
}

// Some containers and services are root without CAP_LINUX_IMMUTABLE. They cannot replace a sealed store, and say so; one
// that is not sealed they write as before, without the mode that promises a seal.
func TestStoreWithoutTheCapability(t *testing.T) {
	needSealing(t)
	imported(t)
	before := must(t, "sha256sum", storeFile, storeFile+".previous")
	incapable := func(name string) (string, int) {
		return command(t, "", "setpriv", "--bounding-set=-linux_immutable", "aadctl", "account", "import", passwdFile(t, name, 60001))
	}
	if out, status := incapable("incapable@contoso.example"); status == 0 || !strings.Contains(out, "lacks CAP_LINUX_IMMUTABLE") {
		t.Errorf("exit status %d, said %q", status, out)
	}
	if after := must(t, "sha256sum", storeFile, storeFile+".previous"); after != before || !immutable(t, storeFile) {
		t.Errorf("a failed change has changed something: %s, before: %s", after, before)
	}
	unseal(t, 0o644)
	makeMutable(t, storeFile+".previous")
	if out, status := incapable("incapable@contoso.example"); status != 0 {
		t.Fatalf("exit status %d, said %q", status, out)
	}
	if info, err := os.Stat(storeFile); err != nil || info.Mode() != 0o644 || immutable(t, storeFile) {
		t.Errorf("written without the capability: %v, %v, immutable %v", info.Mode(), err, immutable(t, storeFile))
	}
	must(t, "getent", "passwd", "incapable@contoso.example")
	must(t, "aadctl", "config", "apply")
}
