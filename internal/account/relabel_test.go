// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The store is as on a real machine: every file is sealed, and the previous one is a backup, too.
func sealedStore(t *testing.T) (s Store, files []string) {
	t.Helper()
	s = Store{Dir: t.TempDir()}
	if err := os.Mkdir(s.path(backupsDir), 0o700); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(s.path(backupsDir), backupPrefix+"20261130T100000Z")
	files = []string{s.path(storeFile), s.path(previousFile), backup}
	for _, path := range files[:2] {
		if err := os.WriteFile(path, []byte("a store"), unsealedMode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(files[1], files[2]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, path := range files {
			_ = unseal(path)
		}
	})
	for _, path := range files {
		if err := seal(path); err != nil {
			t.Skipf("this file system, or this user, cannot make files immutable: %v", err)
		}
	}
	return s, files
}

func states(files []string) (all []bool) {
	for _, path := range files {
		info, err := os.Stat(path)
		all = append(all, err == nil && sealed(path) && info.Mode() == sealedMode)
	}
	return all
}

// Nobody can give an immutable file another label or another time. So Relabel makes it mutable, and
// immutable again.
func TestRelabel(t *testing.T) {
	for name, result := range map[string]error{
		"labelled":     nil,
		"not labelled": errors.New("no such context"),
	} {
		t.Run(name, func(t *testing.T) {
			s, files := sealedStore(t)
			err := s.Relabel(func() error {
				if now := states(files); slices.Contains(now, true) {
					t.Errorf("while labels are set, sealed: %v", now)
				}
				for _, path := range files {
					if err := os.Chmod(path, 0o640); err != nil {
						t.Error(err)
					}
				}
				return result
			})
			if !errors.Is(err, result) || (err == nil) != (result == nil) {
				t.Errorf("%v", err)
			}
			if now := states(files); slices.Contains(now, false) {
				t.Errorf("afterwards, sealed: %v", now)
			}
		})
	}
}

// A file that was not sealed stays so: a copy that somebody is about to use is not locked.
func TestRelabelSealsNoMore(t *testing.T) {
	s, files := sealedStore(t)
	if err := unseal(files[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Relabel(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if now := states(files); now[0] || !now[1] || !now[2] {
		t.Errorf("sealed: %v", now)
	}
}

func TestRelabelWithoutStore(t *testing.T) {
	called := false
	s := Store{Dir: filepath.Join(t.TempDir(), "none")}
	if err := s.Relabel(func() error { called = true; return nil }); err != nil || !called {
		t.Errorf("%v, called %v", err, called)
	}
	if _, err := os.Stat(s.Dir); err == nil {
		t.Error("it has made the directory")
	}
}
