// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A device is a block device with the content of a disk.
type device struct {
	path  string
	file  *os.File
	shelf *shelf
	node  uint64
}

func (s *shelf) device(t *testing.T, d *disk) *device {
	t.Helper()
	path, node := s.put(d)
	// Not by package os: it would ask at once whether this file can be polled, without letting
	// other goroutines run meanwhile, and one of them is to answer.
	backing, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer unix.Close(backing)
	for {
		v := &device{shelf: s, node: node}
		err := v.attach(backing)
		if err == nil {
			return v
		}
		if !errors.Is(err, unix.EBUSY) { // somebody else was given the same one
			t.Fatal(err)
		}
	}
}

func (v *device) attach(backing int) error {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer control.Close()
	n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return fmt.Errorf("a free loop device: %w", err)
	}
	v.path = fmt.Sprintf("/dev/loop%d", n)
	const loopMajor = 7
	err = unix.Mknod(v.path, unix.S_IFBLK|0o600, int(unix.Mkdev(loopMajor, uint32(n))))
	if err != nil && err != unix.EEXIST {
		return fmt.Errorf("%s: %w", v.path, err)
	}
	if v.file, err = os.OpenFile(v.path, os.O_RDWR, 0); err != nil {
		return err
	}
	config := unix.LoopConfig{Fd: uint32(backing),
		Info: unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}}
	if err := unix.IoctlLoopConfigure(int(v.file.Fd()), &config); err != nil {
		v.file.Close()
		return fmt.Errorf("%s: %w", v.path, err)
	}
	return nil
}

// remove gives the device back. It must not be mounted any more.
func (v *device) remove() {
	v.file.Close()
	v.shelf.take(v.node)
}
