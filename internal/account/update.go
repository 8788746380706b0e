// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"os"
)

// Update changes the store. It waits for its turn, calls change on top of the store and of the
// changes that wait, and returns when the change is on disk, written together with others that
// wait; see queue.
//
// If change returns an error, Update returns it and stores nothing, except for *RenamedError, which
// reports a change. A reader sees the old store or the new one, also after a crash. A damaged store
// is left as it is.
func (s Store) Update(change func(*Edit) error) error {
	if err := s.makeDir(); err != nil {
		return err
	}
	q, err := s.enter()
	if err != nil {
		return err
	}
	defer q.leave()
	base, err := q.open()
	if err != nil {
		return err
	}
	if base != nil {
		defer base.Close()
	}
	e := newEdit(s, base)
	err = change(e)
	var renamed *RenamedError
	if err != nil && !errors.As(err, &renamed) {
		q.settle()
		return err
	}
	if failed := q.take(e); failed != nil {
		return failed
	}
	if failed := s.keepGrants(e); failed != nil {
		return failed
	}
	return err
}

// makeDir makes the directories that are missing, whatever the umask is.
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
