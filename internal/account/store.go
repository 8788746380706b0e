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
	"time"

	"aadlogin/internal/config"
)

// DefaultRuntimeDir holds files that end with a reboot. AAD_SESSIONS of pam/session.c is below it.
const DefaultRuntimeDir = "/run/aad-login"

// DefaultDir is where the C side looks, whatever the configuration says.
const DefaultDir = "/var/lib/aad-login"

const (
	storeFile    = "accounts.cdb"
	previousFile = "accounts.cdb.previous"
	newFile      = "accounts.cdb.new"
	lockFile     = "accounts.lock"
	grantsDir    = "grants"
	backupsDir   = "backups"
)

// Store is a directory with the accounts in it. The zero value is this machine's.
type Store struct {
	Dir        string           // DefaultDir when empty
	RuntimeDir string           // DefaultRuntimeDir when empty
	Now        func() time.Time // time.Now when nil
	Etc        fs.FS            // os.DirFS("/etc") when nil; for Locals
	Besides    NameService      // see Locals

	copy string // read this file in the place of accounts.cdb
}

// ErrMissing is returned by Open when there is no store yet.
var ErrMissing = errors.New("account: no store yet; run \"aadctl config apply\"")

// DamagedError is returned for a store that cannot be read. Such a store is never overwritten,
// because the ids and owners of home directories are in it.
type DamagedError struct {
	File     string
	Problem  string
	Previous bool // the copy before the last change is beside it
	Copy     bool // it is not the store itself
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("account: %s: %s; %s", e.File, e.Problem, e.Fix())
}

// Fix says what to do, as one line with the command.
func (e *DamagedError) Fix() string {
	switch {
	case e.Copy:
		return "use another copy"
	case !e.Previous:
		return "restore it from a backup: aadctl store restore FILE"
	}
	return "to go back to the state before the last change, run: aadctl store restore " + e.File +
		".previous"
}

// VersionError is returned for a store that another version wrote.
type VersionError struct {
	File   string
	Format int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("account: %s: has format %d, this version of aad-login reads %d; install "+
		"the version that wrote it",
		e.File, e.Format, Format)
}

func (s Store) path(name string) string {
	if s.Dir == "" {
		return filepath.Join(DefaultDir, name)
	}
	return filepath.Join(s.Dir, name)
}

func (s Store) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// trusted refuses a directory in which somebody besides root could put grants.
func (s Store) trusted() error {
	if err := config.Directory(s.path(".")); err != nil {
		return fmt.Errorf("account: %w", err)
	}
	return nil
}

// Locals returns the other accounts and groups of this machine.
func (s Store) Locals() (*Locals, error) {
	etc := s.Etc
	if etc == nil {
		etc = os.DirFS("/etc")
	}
	l, err := ReadLocals(etc)
	if err != nil {
		return nil, err
	}
	l.Besides = s.Besides
	return l, nil
}

// Path returns where the accounts are.
func (s Store) Path() string { return s.path(storeFile) }

// file returns the path of the file to read.
func (s Store) file() string { return cmp.Or(s.copy, s.path(storeFile)) }

func (s Store) damaged(problem string) *DamagedError {
	if s.copy != "" {
		return &DamagedError{File: s.copy, Problem: problem, Copy: true}
	}
	previous, err := os.Lstat(s.path(previousFile))
	return &DamagedError{File: s.path(storeFile), Problem: problem,
		Previous: err == nil && previous.Mode().IsRegular()}
}

// OpenCopy is Open for a copy of a store, such as a backup.
func (s Store) OpenCopy(path string) (*Snapshot, error) {
	s.copy = path
	return s.Open()
}

// Open maps the store as it is now. The snapshot does not see later changes.
func (s Store) Open() (*Snapshot, error) {
	if s.copy == "" {
		if err := s.trusted(); err != nil {
			return nil, err
		}
	}
	data, err := mapFile(s.file())
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.copy != "":
		return nil, fmt.Errorf("account: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		if d := s.damaged("is missing"); d.Previous {
			// Starting anew would give the ids of the lost accounts to others.
			return nil, d
		}
		return nil, ErrMissing
	case errors.Is(err, errTooSmall):
		return nil, s.damaged("is truncated")
	case err != nil:
		return nil, fmt.Errorf("account: %w", err)
	}
	snapshot, err := s.read(data)
	if err != nil {
		unmap(data)
		return nil, err
	}
	return snapshot, nil
}
