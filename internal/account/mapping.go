// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// smallest is the size of a constant database without records.
const smallest = 2048

var errTooSmall = errors.New("too small")

// mapFile maps a file that only root, or the user this runs as, can change. O_NONBLOCK keeps a FIFO
// in the file's place from blocking us.
func mapFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path,
		os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	ours := owner == 0 || owner == uint32(os.Geteuid())
	if !ours || !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("%s: is not a regular file of root's that nobody else may write; "+
			"see who changed it, then: chown root:root, chmod 644", path)
	}
	size := info.Size()
	if size < smallest || size >= 1<<32 {
		return nil, errTooSmall
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("%s: mmap: %w", path, err)
	}
	return data, nil
}

// unmap releases a mapping. It cannot fail for one that mapFile made.
func unmap(data []byte) { _ = syscall.Munmap(data) }
