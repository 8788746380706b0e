// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"flag"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
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
	{"ext4", []string{"mkfs.ext4", "-q", "-F"}, 96 << 20, []string{"noauto_da_alloc", "",
		"noauto_da_alloc,data=writeback,commit=1"}, superblock(1 << 10)},
	{"xfs", []string{"mkfs.xfs", "-q", "-f"}, 320 << 20, []string{"", "wsync", ""}, nothing},
	{"btrfs", []string{"mkfs.btrfs", "-q", "-f"}, 160 << 20, []string{"", "commit=1", "nodatacow"},
		superblock(64<<10, 64<<20)},
}

var (
	on   = flag.String("on", "", "only on this file system")
	with = flag.Int("with", -1, "only with its options of this number")
)

// chosen are the file systems of this run.
func chosen() (all []filesystem) {
	for _, f := range filesystems {
		if *on != "" && f.name != *on {
			continue
		}
		if *with >= 0 {
			f.options = f.options[*with : *with+1]
		}
		all = append(all, f)
	}
	return all
}

func nothing(event) bool { return false }

// superblock is whether an event writes one of the blocks at these places. A device that tears it
// needs another copy of it, by fsck or "btrfs rescue super-recover", whatever programs do.
func superblock(places ...int64) func(event) bool {
	return func(e event) bool {
		return slices.ContainsFunc(places, func(at int64) bool {
			return e.at <= at && at < e.at+int64(len(e.data))
		})
	}
}

// format makes an empty file system, directly and unrecorded.
func (f filesystem) format(t *testing.T, s *shelf, d *disk) {
	t.Helper()
	v := s.device(t, d)
	defer v.remove()
	if out, err := exec.Command(f.make[0], append(f.make[1:], v.path)...).
		CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", f.make[0], err, out)
	}
}

// A mounted is a disk that is in use.
type mounted struct {
	device *device
	dir    string
	binds  []string
}

// mount returns an error where the file system itself cannot be mounted. Programs do it, as all
// else that may have to wait for the device: this process has it, and could not be killed
// meanwhile.
func (f filesystem) mount(t *testing.T, s *shelf, d *disk, options, dir string) (*mounted, error) {
	t.Helper()
	m := &mounted{device: s.device(t, d), dir: dir}
	if _, err := command("mount", "-t", f.name, "-o", "rw,"+options,
		m.device.path, dir); err != nil {
		m.device.remove()
		return nil, err
	}
	return m, nil
}

// bind puts a directory of it in the place of one of the machine's.
func (m *mounted) bind(t *testing.T, from, to string) {
	t.Helper()
	must(t, "mount", "--bind", m.dir+"/"+from, to)
	m.binds = append(m.binds, to)
}

func (m *mounted) unmount(t *testing.T) {
	t.Helper()
	for _, dir := range append(m.binds, m.dir) {
		_, err := command("umount", dir)
		for end := time.Now().Add(20 * time.Second); err != nil &&
			time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			_, err = command("umount", dir) // until the last process is gone
		}
		if err != nil {
			out, _ := command("fuser", "-vm", dir)
			t.Fatalf("%v: %s", err, out)
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
