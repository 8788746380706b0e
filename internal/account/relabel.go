// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"io/fs"
	"os"
)

// Relabel calls label, which gives files of the store other security contexts or extended
// attributes. The kernel forbids that for immutable files, so the sealed files are mutable while
// label runs, and no writer runs meanwhile. They are sealed again whatever label returns.
func (s Store) Relabel(label func() error) error {
	if _, err := os.Stat(s.path(".")); errors.Is(err, fs.ErrNotExist) {
		return label()
	}
	q, err := s.enter()
	if err != nil {
		return err
	}
	defer q.leave()
	if q.head.Changes > 0 {
		_ = q.commit(nil) // if it fails, those who wait try again
	}
	opened, err := s.unsealAll()
	if err == nil {
		err = label()
	}
	for _, path := range opened {
		err = errors.Join(err, seal(path))
	}
	return err
}

// unsealAll makes every immutable file mutable and returns their paths. A file with two names is
// unsealed under the first.
func (s Store) unsealAll() (opened []string, err error) {
	paths := []string{
		s.path(storeFile), s.path(previousFile), s.path(newFile), s.path(previousFile + ".new"),
	}
	backups, err := s.Backups()
	for _, path := range append(paths, backups...) {
		if !sealed(path) {
			continue
		}
		if e := unseal(path); e != nil {
			err = errors.Join(err, e)
			continue
		}
		opened = append(opened, path)
	}
	return opened, err
}

func sealed(path string) bool {
	f, err := openFile(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return immutable(f)
}
