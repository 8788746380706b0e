// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// MakeImmutable makes a file immutable (chattr +i) for the length of a test.
func MakeImmutable(t *testing.T, file string) {
	t.Helper()
	f, flags, err := attributes(t, file)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags|ImmutableFlag))
	}
	if err != nil {
		t.Skipf("this file system knows no immutable files: %v", err)
	}
	t.Cleanup(func() {
		err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags))
		if err != nil {
			t.Error(err)
		}
	})
}

// MountOn mounts a file on itself for the length of a test, so that nothing can replace it.
func MountOn(t *testing.T, file string) {
	t.Helper()
	Must(t, "mount", "--bind", file, file)
	t.Cleanup(func() { Must(t, "umount", file) })
}

// MountReadOnly makes a file or directory read-only for the length of a test.
func MountReadOnly(t *testing.T, file string) {
	t.Helper()
	MountOn(t, file)
	Must(t, "mount", "-o", "remount,bind,ro", file)
}

// ImmutableFlag is the bit of chattr +i.
const ImmutableFlag = 0x10 // FS_IMMUTABLE_FL of linux/fs.h

// attributes opens a file for the length of the test, and reads its attributes (chattr(1)). Its
// file system may have none.
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

// Immutable reports whether a file has the attribute of chattr +i.
func Immutable(t *testing.T, path string) bool {
	t.Helper()
	_, flags, err := attributes(t, path)
	return err == nil && flags&ImmutableFlag != 0
}

// MakeMutable makes a file mutable (chattr -i).
func MakeMutable(t *testing.T, path string) {
	t.Helper()
	f, flags, err := attributes(t, path)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags&^ImmutableFlag))
	}
	if err != nil {
		t.Fatal(err)
	}
}
