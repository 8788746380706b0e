// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"os"
	"syscall"
)

// Stamp tells one state of the store from the next without opening it: inode and modification time
// (ns) of its file, or 0, 0 if there is none. pam/door.c takes the same when it is loaded.
func (s Store) Stamp() (inode uint64, modified int64) {
	info, err := os.Stat(s.path(storeFile))
	if err != nil {
		return 0, 0
	}
	return stampOf(info)
}

func stampOf(info os.FileInfo) (inode uint64, modified int64) {
	return info.Sys().(*syscall.Stat_t).Ino, info.ModTime().UnixNano()
}
