// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Update changes the store: it waits for its turn, reads what is there now,
// calls change, and replaces the store when anything did change. An error of
// change is returned and nothing stored, except with *RenamedError, which
// reports a change. A reader sees the old store or the new one, also after a
// crash. A damaged store is left as it is.
func (s Store) Update(change func(*Edit) error) error {
	if err := s.makeDir(); err != nil {
		return err
	}
	lock, err := s.lock()
	if err != nil {
		return err
	}
	defer lock.Close() // which unlocks
	base, err := s.Open()
	switch {
	case errors.Is(err, ErrMissing):
	case err != nil:
		return err
	default:
		defer base.Close()
	}
	e := newEdit(s, base)
	err = change(e)
	var renamed *RenamedError
	if err != nil && !errors.As(err, &renamed) {
		return err
	}
	if failed := s.record(e, true); failed != nil { // nobody keeps for a moment what is taken back
		return failed
	}
	if !e.changed() {
		s.seal(s.path(storeFile)) // a writer that was killed, or a restored backup, has left it open
	} else if failed := s.replace(e); failed != nil {
		return failed
	}
	if failed := s.record(e, false); failed != nil {
		return failed
	}
	return err
}

// makeDir makes what is missing, whatever the umask.
func (s Store) makeDir() error {
	if err := s.trusted(); err != nil {
		return err
	}
	for _, dir := range []struct {
		path string
		mode os.FileMode
	}{{s.path("."), 0o755}, {s.path(grantsDir), 0o700}} {
		err := os.Mkdir(dir.path, 0o700)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err == nil {
			err = os.Chmod(dir.path, dir.mode)
		}
		if err != nil {
			return fmt.Errorf("account: make the store's directory: %w", err)
		}
	}
	return nil
}

const (
	lockTries = 500
	lockPause = 20 * time.Millisecond
)

// lock waits up to ten seconds; a change takes milliseconds. The kernel
// unlocks for a writer that died.
func (s Store) lock() (*os.File, error) {
	path := s.path(lockFile)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("account: lock: %w", err)
	}
	for range lockTries {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if err != syscall.EWOULDBLOCK && err != syscall.EINTR {
			break
		}
		time.Sleep(lockPause)
	}
	f.Close()
	if err == syscall.EWOULDBLOCK {
		return nil, fmt.Errorf("account: lock: another process has held %s for %v", path, lockTries*lockPause)
	}
	return nil, fmt.Errorf("account: lock %s: %w", path, err)
}
