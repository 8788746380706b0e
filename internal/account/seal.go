// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// The name service keeps accounts.cdb mapped in every process of the machine. If somebody truncates
// a mapped file (by "cp backup accounts.cdb", say), SIGBUS kills the process that reads it. So the
// files that may be mapped are sealed: they carry the attribute "immutable" (chattr +i), which
// keeps even root from writing, truncating or removing them.
//
// A sealed file has mode 0444, so that the C side can see the seal without a system call that a
// sandbox may forbid. A file that cannot be sealed, because the file system or a capability
// (CAP_LINUX_IMMUTABLE) is missing, stays 0644, and the C side reads it into memory of its own.
const (
	unsealedMode = 0o644
	sealedMode   = 0o444

	immutableFlag = 0x10 // FS_IMMUTABLE_FL of linux/fs.h
)

// served reports whether the C side reads this store. The C side's directory is compiled in.
func (s Store) served() bool { return s.path(".") == DefaultDir }

// seal makes a file of a served store immutable if that is possible.
func (s Store) seal(path string) {
	if s.served() {
		_ = seal(path)
	}
}

// seal makes a file immutable and then says so by its mode.
func seal(path string) error {
	f, err := openFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if immutable(f) {
		return nil
	}
	err = setImmutable(f, true)
	if err == nil {
		err = setImmutable(f, false) // it is possible, so the mode will not promise it for nothing
	}
	if err == nil {
		err = f.Chmod(sealedMode)
	}
	if err != nil {
		return &fs.PathError{Op: "make immutable", Path: path, Err: err}
	}
	if err := setImmutable(f, true); err != nil {
		return errors.Join(&fs.PathError{Op: "make immutable", Path: path, Err: err},
			f.Chmod(unsealedMode))
	}
	return nil
}

// unseal makes a file mutable, so that it can be replaced, renamed and marked. A missing file is no
// error.
func unseal(path string) error {
	f, err := openFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if !immutable(f) {
		return nil
	}
	err = setImmutable(f, false)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s is immutable, and this process may not change that (it lacks "+
			"CAP_LINUX_IMMUTABLE): %w", path, err)
	}
	if err != nil {
		return fmt.Errorf("%s: make it mutable: %w", path, err)
	}
	return f.Chmod(unsealedMode)
}

func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}

// immutable returns false where there is no such attribute.
func immutable(f *os.File) bool {
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err == nil && flags&immutableFlag != 0
}

func setImmutable(f *os.File, on bool) error {
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return err
	}
	flags &^= immutableFlag
	if on {
		flags |= immutableFlag
	}
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags))
}
