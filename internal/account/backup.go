// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Backups are copies of the store from before a change: one a day, and one for each restoration.
// They are further names of files that are written once, so they need no space on a full disk. They
// are for a store that is damaged or lost; an administrator's mistake is taken back by a command.
const (
	keptBackups  = 10
	backupEvery  = 24 * time.Hour
	backupPrefix = storeFile + "."
	backupTime   = "20060102T150405Z"
)

// Backups returns the paths of the backups, oldest first.
func (s Store) Backups() ([]string, error) {
	files, err := os.ReadDir(s.path(backupsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("account: backups: %w", err)
	}
	var paths []string // sorted as the files are
	for _, file := range files {
		if path := filepath.Join(s.path(backupsDir), file.Name()); !backupMade(path).IsZero() {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// backupMade returns when the backup was made, or the zero time for a file that is no backup.
func backupMade(path string) time.Time {
	at, ok := strings.CutPrefix(filepath.Base(path), backupPrefix)
	made, err := time.Parse(backupTime, at)
	if !ok || err != nil {
		return time.Time{}
	}
	return made
}

// backUpDaily is called for every change. If the newest backup seems to be of the future, because
// the clock was set back, another one is made.
func (s Store) backUpDaily() error {
	all, err := s.Backups()
	if err != nil {
		return err
	}
	if len(all) > 0 && s.now().Sub(backupMade(all[len(all)-1])).Abs() < backupEvery {
		return nil
	}
	_, err = s.backUp()
	return err
}

// backUp keeps the store, which must not be sealed, under the name of this second, or of the next
// one that is free. It removes the oldest backups. The name is on disk when backUp returns.
func (s Store) backUp() (path string, err error) {
	if err := os.Mkdir(s.path(backupsDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	for at := s.now().UTC(); ; at = at.Add(time.Second) {
		path = filepath.Join(s.path(backupsDir), backupPrefix+at.Format(backupTime))
		if err = os.Link(s.path(storeFile), path); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	if err == nil {
		err = syncPath(s.path(backupsDir))
	}
	if err != nil {
		return "", err
	}
	all, err := s.Backups()
	for _, old := range all[:max(0, len(all)-keptBackups)] {
		if old != path { // with a clock that was set back, the new one sorts first
			err = errors.Join(err, remove(old))
		}
	}
	return path, err
}

// Restore puts a copy of a store in the place of the store. Authorizations of that time do not come
// back: nobody is in aad_admins or another group until their next authorization, and no grant or
// window stands in for one.
//
// Restore calls agree with the accounts that would lose something, if there are any: accounts that
// the copy does not know, or does not know to be locked, removed or moved. The store that is there
// becomes a backup, even if it is damaged.
func (s Store) Restore(path string, agree func(undone []Account) error) error {
	if err := s.makeDir(); err != nil {
		return err
	}
	q, err := s.enter()
	if err != nil {
		return err
	}
	defer q.leave()
	if q.head.Changes > 0 {
		_ = q.commit(nil) // if it fails, those who wait find that the store was replaced
	}
	backup, err := s.OpenCopy(path)
	if err != nil {
		return err
	}
	defer backup.Close()
	if err := backup.Check(); err != nil {
		return err
	}
	undone, err := s.undoneBy(backup)
	if err != nil {
		return err
	}
	if len(undone) > 0 {
		if err := agree(undone); err != nil {
			return err
		}
	}
	if err := s.withdrawAll(); err != nil {
		return fmt.Errorf("account: restore: %w", err)
	}
	if err := s.putBack(unauthorized(s, backup)); err != nil {
		return fmt.Errorf("account: restore: %w", err)
	}
	return nil
}

// unauthorized returns the backup as a store in which nobody has a group from an authorization.
func unauthorized(s Store, backup *Snapshot) *Edit {
	e := newEdit(s, backup)
	for a := range backup.All() {
		if a.Admin || len(a.Groups) > 0 {
			a.Admin, a.Groups = false, nil
			e.accounts[a.UID] = a
		}
	}
	return e
}

// withdrawAll is Withdraw for every uid that there has been. Denials stay.
func (s Store) withdrawAll() error {
	var all error
	for _, dir := range []string{s.path(grantsDir), s.windowsDir()} {
		files, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
		for _, file := range files {
			uid, _ := parseUID(file.Name())
			last, err := s.LastDecision(uid)
			if err == nil && last.Denied != "" && dir == s.path(grantsDir) {
				continue
			}
			all = errors.Join(all, os.RemoveAll(filepath.Join(dir, file.Name())))
		}
	}
	return errors.Join(all, s.syncGrants())
}

// undoneBy reads the present store as far as it can be read.
func (s Store) undoneBy(backup *Snapshot) (undone []Account, err error) {
	current, err := s.Open()
	var damaged *DamagedError
	switch {
	case errors.Is(err, ErrMissing), errors.As(err, &damaged):
		return nil, nil
	case err != nil:
		return nil, err
	}
	defer current.Close()
	for a := range current.All() {
		old, err := backup.ByUID(a.UID)
		if errors.Is(err, ErrUnknown) ||
			old.Removed.IsZero() && !a.Removed.IsZero() ||
			old.Locked.IsZero() && !a.Locked.IsZero() {
			undone = append(undone, a)
		}
	}
	return undone, nil
}

// putBack replaces the store, whatever state it is in.
func (s Store) putBack(e *Edit) error {
	_, err := s.writeNew(s.path(newFile), e.writeTo)
	if err != nil {
		return errors.Join(err, remove(s.path(newFile)))
	}
	if err := unseal(s.path(storeFile)); err != nil {
		return err
	}
	kept, err := s.backUp()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(s.path(newFile), s.path(storeFile)); err != nil {
		return err
	}
	s.seal(s.path(storeFile))
	if kept != "" {
		s.supersede(kept)
	}
	return syncPath(s.path("."))
}

// Generalize removes every authorization, as Restore does, and leaves the store otherwise as it is:
// a copy of the disk is another machine, where other roles count.
func (s Store) Generalize() error {
	snapshot, err := s.Open()
	if err != nil {
		return err
	}
	snapshot.Close()
	return s.Restore(s.Path(), func([]Account) error { return nil })
}
