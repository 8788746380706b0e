// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Directory refuses, with *Error, a directory of ours in which somebody besides root could replace
// files, or put some before we do. The owner and mode of the files are no help then. A link to a
// directory counts as that directory. A directory that is not there is accepted.
func Directory(path string) error { return directory(path, false) }

// besideOthers is Directory for a directory that may hold more than our files. If it is sticky, as
// /tmp is, nobody can replace root's files.
func besideOthers(path string) error { return directory(path, true) }

func directory(path string, sticky bool) error {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return nil // who needs it says so
	}
	p := trustedDirectory(path, info, sticky)
	if p == nil {
		return nil
	}
	e := p.at("", 0)
	e.File = path
	return e
}

// trustedDirectory is trusted for a directory.
func trustedDirectory(path string, info fs.FileInfo, sticky bool) *problem {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return wrong("has no owner that can be read", "put it on a file system with owners")
	case stat.Uid != 0 && int(stat.Uid) != os.Geteuid():
		return wrong(fmt.Sprintf("belongs to uid %d, who could exchange what is in it", stat.Uid),
			"run: chown root: "+path)
	case info.Mode().Perm()&0o022 != 0 && !(sticky && info.Mode()&fs.ModeSticky != 0):
		return wrong(fmt.Sprintf("can be written by others than root (mode %04o)", unixMode(info)),
			"run: chmod go-w "+path)
	default:
		return nil
	}
}

// unixMode is the mode as chmod(1) has it.
func unixMode(info fs.FileInfo) fs.FileMode {
	mode := info.Mode().Perm()
	if info.Mode()&fs.ModeSticky != 0 {
		mode |= 0o1000
	}
	return mode
}
