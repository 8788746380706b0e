// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// Withdraw removes what an earlier authorization of an account has left for the next one to rely
// on: the grant, which could stand in for Azure, and the windows, which could stand in for a
// browser. A power cut does not bring them back.
func (s Store) Withdraw(uid uint32) error {
	return errors.Join(removeAll(s.grantPath(uid), s.WindowsPath(uid)), s.syncGrants())
}

// syncGrants returns when the names in grants/ are on disk.
func (s Store) syncGrants() error {
	err := syncPath(s.path(grantsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("account: withdraw: %w", err)
	}
	return nil
}

// CloseWindows removes the windows alone.
func (s Store) CloseWindows(uid uint32) error { return removeAll(s.WindowsPath(uid)) }

func removeAll(paths ...string) error {
	var all error
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, fmt.Errorf("account: withdraw: %w", err))
		}
	}
	return all
}

// WindowsPath returns the file in which package signin keeps the windows of one account
// (sign_in.reuse_window). It is in /run, which a reboot empties.
func (s Store) WindowsPath(uid uint32) string {
	return filepath.Join(s.windowsDir(), strconv.FormatUint(uint64(uid), 10))
}

func (s Store) windowsDir() string {
	return filepath.Join(cmp.Or(s.RuntimeDir, DefaultRuntimeDir), "windows")
}
