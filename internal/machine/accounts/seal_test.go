// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package accounts

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"aadlogin/internal/machine/rig"
)

// needSealing skips a test if a file beside the store cannot be made immutable. There, readers copy
// the store.
func needSealing(t *testing.T) {
	t.Helper()
	f, err := os.CreateTemp(filepath.Dir(rig.StoreFile), "seal")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	defer os.Remove(f.Name())
	err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, rig.ImmutableFlag)
	if err != nil {
		t.Skipf("this file system knows no immutable files: %v", err)
	}
	rig.MakeMutable(t, f.Name())
}

// unseal leaves the store as a killed writer or a restored backup does.
func unseal(t *testing.T, mode os.FileMode) {
	t.Helper()
	rig.MakeMutable(t, rig.StoreFile)
	if err := os.Chmod(rig.StoreFile, mode); err != nil {
		t.Fatal(err)
	}
}

// Every process maps the store. Not even root can cut it short or write into it, nor into the
// previous one, which some processes may still map. The next change of the store works.
func TestStoreIsSealed(t *testing.T) {
	needSealing(t)
	first, second := rig.Imported(t), rig.Imported(t)
	for _, path := range []string{rig.StoreFile, rig.StoreFile + ".previous"} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != 0o444 || !rig.Immutable(t, path) {
			t.Errorf("%s: %v, %v, immutable %v", path, info.Mode(), err, rig.Immutable(t, path))
		}
		if err := os.Truncate(path, 0); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: truncated: %v", path, err)
		}
		if err := os.WriteFile(path, nil, 0o644); !errors.Is(err, syscall.EPERM) {
			t.Errorf("%s: overwritten: %v", path, err)
		}
	}
	if got := rig.Must(t, "getent", "passwd", first, second); strings.Count(got, "\n") != 2 {
		t.Errorf("getent says %q", got)
	}
}

// The next writer seals a store that was left open, even if it has nothing to write.
func TestStoreIsSealedAgain(t *testing.T) {
	needSealing(t)
	rig.Imported(t)
	for _, mode := range []os.FileMode{0o444, 0o644} {
		unseal(t, mode)
		rig.Must(t, "aadctl", "config", "apply")
		info, err := os.Stat(rig.StoreFile)
		if err != nil || info.Mode() != 0o444 || !rig.Immutable(t, rig.StoreFile) {
			t.Errorf("left with mode %v: %v, %v, immutable %v", mode, info.Mode(), err,
				rig.Immutable(t, rig.StoreFile))
		}
	}
}

// A change that fails leaves the store sealed as it was.
func TestStoreIsSealedAfterAFailure(t *testing.T) {
	needSealing(t)
	rig.Imported(t)
	before, previous := rig.Must(t, "sha256sum", rig.StoreFile), rig.StoreFile+".previous"
	rig.MakeMutable(t, previous)
	if err := os.Remove(previous); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(previous, 0o755); err != nil { // which the store cannot be renamed to
		t.Fatal(err)
	}
	out, status := rig.Command(t, "", "aadctl", "account", "import",
		rig.PasswdFile(t, "failed@contoso.example", 60002))
	if err := os.Remove(previous); err != nil {
		t.Fatal(err)
	}
	if status == 0 || !rig.Immutable(t, rig.StoreFile) ||
		rig.Must(t, "sha256sum", rig.StoreFile) != before {
		t.Errorf("exit status %d, said %q, immutable %v", status, out,
			rig.Immutable(t, rig.StoreFile))
	}
}

// Some containers and services are root without CAP_LINUX_IMMUTABLE. They cannot replace a sealed
// store, and say so. A store that is not sealed they write as before, without the mode that
// promises a seal.
func TestStoreWithoutTheCapability(t *testing.T) {
	needSealing(t)
	rig.Imported(t)
	before := rig.Must(t, "sha256sum", rig.StoreFile, rig.StoreFile+".previous")
	incapable := func(name string) (string, int) {
		return rig.Command(t, "", "setpriv", "--bounding-set=-linux_immutable", "aadctl", "account",
			"import", rig.PasswdFile(t, name, 60001))
	}
	out, status := incapable("incapable@contoso.example")
	if status == 0 || !strings.Contains(out, "lacks CAP_LINUX_IMMUTABLE") {
		t.Errorf("exit status %d, said %q", status, out)
	}
	after := rig.Must(t, "sha256sum", rig.StoreFile, rig.StoreFile+".previous")
	if after != before || !rig.Immutable(t, rig.StoreFile) {
		t.Errorf("a failed change has changed something: %s, before: %s", after, before)
	}
	unseal(t, 0o644)
	rig.MakeMutable(t, rig.StoreFile+".previous")
	if out, status := incapable("incapable@contoso.example"); status != 0 {
		t.Fatalf("exit status %d, said %q", status, out)
	}
	info, err := os.Stat(rig.StoreFile)
	if err != nil || info.Mode() != 0o644 || rig.Immutable(t, rig.StoreFile) {
		t.Errorf("written without the capability: %v, %v, immutable %v", info.Mode(), err,
			rig.Immutable(t, rig.StoreFile))
	}
	rig.Must(t, "getent", "passwd", "incapable@contoso.example")
	rig.Must(t, "aadctl", "config", "apply")
}
