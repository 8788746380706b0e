// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"path/filepath"
	"syscall"

	"aadlogin/internal/shell"
)

// room checks that a sign-in can be stored: an account that is not on disk is not let in.
func (h *Host) room() []Finding {
	dir := h.Config.Accounts.Directory
	var disk syscall.Statfs_t
	if syscall.Statfs(dir, &disk) != nil {
		return nil // it is made when it is needed
	}
	var size int64
	if info, err := os.Stat(filepath.Join(dir, "accounts.cdb")); err == nil {
		size = info.Size()
	}
	return judgeRoom(dir, disk, size)
}

// judgeRoom judges the file system of a store of this size, which is written anew as a whole. Root
// may use all blocks that are free. A file system that counts no blocks or files has no such limit.
func judgeRoom(dir string, disk syscall.Statfs_t, size int64) []Finding {
	const readOnly, besides = 1, 64 << 10 // ST_RDONLY; for grants
	switch {
	case disk.Flags&readOnly != 0:
		return []Finding{failed(Store, dir+" is on a file system that is mounted read-only, so no "+
			"sign-in can be stored, and nobody is let in").
			fix("see in the system log whether its disk is broken, and mount it for writing").
			run("findmnt --target " + shell.Word(dir))}
	case disk.Blocks > 0 && disk.Bfree*uint64(disk.Bsize) < uint64(size)+besides,
		disk.Files > 0 && disk.Ffree == 0:
		return []Finding{failed(Store, dir+" is on a file system that is full, so no sign-in can be "+
			"stored, and nobody is let in").
			fix("make room; the commands tell of what there is none, bytes or files").
			run("df -h " + shell.Word(dir) + " && df -i " + shell.Word(dir))}
	}
	return nil
}
