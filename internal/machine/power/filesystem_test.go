// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A filesystem is a kind, with options that say how early it writes what nobody has asked it to.
type filesystem struct {
	name    string
	make    []string
	size    int64
	options []string // of one recording each
	atomic  func(event) bool
}

// Without auto_da_alloc, and with data=writeback, ext4 does no more for programs than POSIX says:
// by default it writes a file's data before another gets its name.
var filesystems = []filesystem{
	{"ext4", []string{"mkfs.ext4", "-q", "-F"}, 96 << 20, []string{"noauto_da_alloc", "", "noauto_da_alloc,data=writeback,commit=1"}, nothing},
	{"xfs", []string{"mkfs.xfs", "-q", "-f"}, 320 << 20, []string{"", "wsync", ""}, nothing},
	{"btrfs", []string{"mkfs.btrfs", "-q", "-f"}, 160 << 20, []string{"", "commit=1", "nodatacow"}, superblock},
}

var on = flag.String("on", "", "only on this file system")

// chosen are the file systems of this run.
func chosen() []filesystem {
	return slices.DeleteFunc(slices.Clone(filesystems), func(f filesystem) bool { return *on != "" && f.name != *on })
}

func nothing(event) bool { return false }

// superblock is whether an event writes a superblock of btrfs, of which no copy counts but one: a
// device that tears it needs "btrfs rescue super-recover", whatever programs do.
func superblock(e event) bool { return e.at == 64<<10 || e.at == 64<<20 }

// format makes an empty file system, directly and unrecorded.
func (f filesystem) format(t *testing.T, s *shelf, d *disk) {
	t.Helper()
	v := s.device(t, d)
	defer v.remove()
	if out, err := exec.Command(f.make[0], append(f.make[1:], v.path)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", f.make[0], err, out)
	}
}

// A mounted is a disk that is in use.
type mounted struct {
	device *device
	dir    string
	binds  []string
}

// mount returns an error where the file system itself cannot be mounted.
func (f filesystem) mount(t *testing.T, s *shelf, d *disk, options, dir string) (*mounted, error) {
	t.Helper()
	m := &mounted{device: s.device(t, d), dir: dir}
	if err := unix.Mount(m.device.path, dir, f.name, 0, options); err != nil {
		m.device.remove()
		return nil, fmt.Errorf("mount %s -o %q: %w", f.name, options, err)
	}
	return m, nil
}

// bind puts a directory of it in the place of one of the machine's.
func (m *mounted) bind(t *testing.T, from, to string) {
	t.Helper()
	if err := unix.Mount(m.dir+"/"+from, to, "", unix.MS_BIND, ""); err != nil {
		t.Fatalf("bind %s to %s: %v", from, to, err)
	}
	m.binds = append(m.binds, to)
}

func (m *mounted) unmount(t *testing.T) {
	t.Helper()
	for _, dir := range append(m.binds, m.dir) {
		err := error(unix.EBUSY) // until the last process is gone
		for end := time.Now().Add(20 * time.Second); err == unix.EBUSY && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			err = unix.Unmount(dir, 0)
		}
		if err != nil {
			out, _ := exec.Command("fuser", "-vm", dir).CombinedOutput()
			t.Fatalf("unmount %s: %v: %s", dir, err, out)
		}
	}
	m.device.remove()
}

func mkdir(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(path, mode); err != nil {
		t.Fatal(err)
	}
}
