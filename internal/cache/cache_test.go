// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package cache

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const day = 24 * time.Hour

// newDir returns a cache with one document, and the path of its file.
func newDir(t *testing.T) (d Dir, file string) {
	t.Helper()
	now := time.Unix(1800000000, 0)
	d = Dir{filepath.Join(t.TempDir(), "cache"), func() time.Time { return now }}
	d.Put("https://x/", []byte("document"))
	files, err := filepath.Glob(filepath.Join(d.Path, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	return d, files[0]
}

func TestGet(t *testing.T) {
	d, file := newDir(t)
	start := d.Now()
	if err := os.Chtimes(file, start, start); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]bool{
		0: true, day - time.Second: true, day: false, 2 * day: false,
		// the clock was stepped back
		-time.Second: true, -2 * time.Second: false, -time.Hour: false,
	} {
		d.Now = func() time.Time { return start.Add(after) }
		if has := d.Has("https://x/", day); has != want {
			t.Errorf("after %v: has it: %v", after, has)
		}
		body, fetched, ok := d.Get("https://x/", day)
		if ok != want || ok && (string(body) != "document" || !fetched.Equal(start)) {
			t.Errorf("after %v: %q of %v, %v", after, body, fetched, ok)
		}
	}
	d.Now = func() time.Time { return start }
	if _, _, ok := d.Get("https://x", day); ok || d.Has("https://x", day) {
		t.Error("another key's document")
	}
	if _, _, ok := (Dir{}).Get("", day); ok || (Dir{}).Has("", day) {
		t.Error("the zero Dir keeps something")
	}
}

// The cache believes only files that the effective user has written.
func TestDistrustsWhatOthersCouldWrite(t *testing.T) {
	rewrite := func(file, old, new string) error {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o600)
	}
	move := func(path string) error {
		if err := os.Rename(path, path+".x"); err != nil {
			return err
		}
		return os.Symlink(path+".x", path)
	}
	spoil := map[string]func(dir, file string) error{
		"directory open to the group": func(dir, file string) error { return os.Chmod(dir, 0o770) },
		"file open to others": func(dir, file string) error {
			return os.Chmod(file, 0o606)
		},
		"link":                  func(dir, file string) error { return move(file) },
		"link to the directory": func(dir, file string) error { return move(dir) },
		"directory in its place": func(dir, file string) error {
			if err := os.Remove(file); err != nil {
				return err
			}
			return os.Mkdir(file, 0o700)
		},
		"garbage": func(dir, file string) error {
			return os.WriteFile(file, []byte("\x00{"), 0o600)
		},
		"empty": func(dir, file string) error { return os.WriteFile(file, nil, 0o600) },
		"other key": func(dir, file string) error {
			return rewrite(file, "https://x/", "https://y/")
		},
	}
	if os.Geteuid() == 0 {
		spoil["file of another user"] = func(dir, file string) error {
			return os.Chown(file, 12345, 0)
		}
		spoil["directory of another user"] = func(dir, file string) error {
			return os.Chown(dir, 12345, 0)
		}
	}
	for name, spoil := range spoil {
		t.Run(name, func(t *testing.T) {
			d, file := newDir(t)
			if err := spoil(d.Path, file); err != nil {
				t.Fatal(err)
			}
			if body, _, ok := d.Get("https://x/", day); ok {
				t.Errorf("believed: %q", body)
			}
		})
	}
}

func TestModes(t *testing.T) {
	d, file := newDir(t)
	for path, want := range map[string]os.FileMode{d.Path: 0o700, file: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

// The file that a killed writer has left is overwritten.
func TestPutAfterAKill(t *testing.T) {
	d, file := newDir(t)
	left := fmt.Sprintf("%s.%d", file, os.Getpid())
	if err := os.WriteFile(left, []byte(strings.Repeat("x", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Put("https://x/", []byte("new"))
	if body, _, ok := d.Get("https://x/", day); !ok || string(body) != "new" {
		t.Errorf("%q, %v", body, ok)
	}
	if files, _ := filepath.Glob(filepath.Join(d.Path, "*")); len(files) != 1 {
		t.Errorf("files %q", files)
	}
}
