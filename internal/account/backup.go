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

// Backups are the store as it was before a change: the first change in a day,
// and each restoration. They are further names of files written once, so that
// a full disk does not matter to them, and are for a store that is damaged or
// lost: what an administrator does by mistake has a command for the way back.
const (
	keptBackups  = 10
	backupEvery  = 24 * time.Hour
	backupPrefix = storeFile + "."
	backupTime   = "20060102T150405Z"
)

// Backups are the paths of the backups, oldest first.
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

// backupMade is zero for what is no backup.
func backupMade(path string) time.Time {
	at, ok := strings.CutPrefix(filepath.Base(path), backupPrefix)
	made, err := time.Parse(backupTime, at)
	if !ok || err != nil {
		return time.Time{}
	}
	return made
}

// backUpDaily is for every change. A backup of the future, from before the
// clock was set back, is no reason to wait for that day.
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

// backUp keeps the store, which must not be sealed, under the name of this
// second, or of the next one that is free, and removes the oldest backups.
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
	if err != nil {
		return "", err
	}
	all, err := s.Backups()
	for _, old := range all[:max(0, len(all)-keptBackups)] {
		if old != path { // by a clock that was set back it is the oldest
			err = errors.Join(err, remove(old))
		}
	}
	return path, err
}

// Restore puts a copy of a store in the place of the store, without what the
// accounts were authorized for at the time: nobody is in aad_admins or another
// group until their next authorization, and no grant or window stands in for one.
// agree is called with what would be undone by that, if anything: accounts as
// they are now that the copy does not know, or does not know to be locked,
// removed or moved. What is there now becomes a backup, even when it is damaged.
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
		_ = q.commit(nil) // who waits for that finds the store replaced if it fails
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

// unauthorized is a store in which nobody has any group from an authorization.
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

// withdrawAll is Withdraw for everybody, whatever uids there have been. What has
// been refused stays so.
func (s Store) withdrawAll() error {
	var all error
	for _, dir := range []string{s.path(grantsDir), s.windowsDir()} {
		files, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
		for _, file := range files {
			uid, _ := parseUID(file.Name())
			if last, err := s.LastDecision(uid); err == nil && last.Denied != "" && dir == s.path(grantsDir) {
				continue
			}
			all = errors.Join(all, os.RemoveAll(filepath.Join(dir, file.Name())))
		}
	}
	return all
}

// undoneBy looks into a store as far as it can be read.
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
		if errors.Is(err, ErrUnknown) || old.Removed.IsZero() && !a.Removed.IsZero() || old.Locked.IsZero() && !a.Locked.IsZero() {
			undone = append(undone, a)
		}
	}
	return undone, nil
}

// putBack replaces the store, whatever is in its place.
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

// Generalize leaves nobody authorized, as Restore does, of a store that stays
// otherwise as it is: a copy of the disk is another machine, where other roles
// count.
func (s Store) Generalize() error {
	snapshot, err := s.Open()
	if err != nil {
		return err
	}
	snapshot.Close()
	return s.Restore(s.Path(), func([]Account) error { return nil })
}
