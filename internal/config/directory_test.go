// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A user who may write in a directory can exchange its files, whoever owns them.
func TestDirectory(t *testing.T) {
	needRoot(t)
	dir := func(mode os.FileMode, owner int) string {
		path := filepath.Join(t.TempDir(), "dir")
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, owner, 0); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := func(to string, owner int) string {
		path := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(path, owner, 0); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write(t, minimal, 0o666)
	for _, c := range []struct {
		path         string
		want, beside string // PATH stands for the path
	}{
		{dir(0o755, 0), "", ""},
		{dir(0o700, 0), "", ""},
		{dir(0o555, 0), "", ""},
		{dir(0o775, 0),
			"PATH: can be written by others than root (mode 0775); run: chmod go-w PATH", "same"},
		{dir(0o702, 0),
			"PATH: can be written by others than root (mode 0702); run: chmod go-w PATH", "same"},
		{dir(0o777|os.ModeSticky, 0),
			"PATH: can be written by others than root (mode 1777); run: chmod go-w PATH", ""},
		{dir(0o755, 1234),
			"PATH: belongs to uid 1234, who could exchange what is in it; run: chown root: PATH",
			"same"},
		{dir(0o777|os.ModeSticky, 1234),
			"PATH: belongs to uid 1234, who could exchange what is in it; run: chown root: PATH", "same"},
		{link(dir(0o755, 0), 0), "", ""},
		// The directory of a link decides who can exchange the link.
		{link(dir(0o755, 0), 1234), "", ""},
		{link(dir(0o777, 0), 0),
			"PATH: can be written by others than root (mode 0777); run: chmod go-w PATH", "same"},
		{link(dir(0o755, 1234), 0),
			"PATH: belongs to uid 1234, who could exchange what is in it; run: chown root: PATH", "same"},
		{"/nowhere", "", ""},
		{file, "", ""},
	} {
		if c.beside == "same" {
			c.beside = c.want
		}
		for want, err := range map[*string]error{
			&c.want:   Directory(c.path),
			&c.beside: besideOthers(c.path),
		} {
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), c.path, "PATH")
			}
			if got != *want {
				t.Errorf("%q, want %q", got, *want)
			}
		}
	}
}

// A configuration in a directory where others may write belongs to them.
func TestLoadLooksAtTheDirectory(t *testing.T) {
	needRoot(t)
	path := write(t, minimal, 0o644)
	dir := filepath.Dir(path)
	t.Chdir(dir)
	for mode, ok := range map[os.FileMode]bool{
		0o755:                 true,
		0o777:                 false,
		0o777 | os.ModeSticky: true,
		0o770:                 false,
	} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{path, "config.toml"} {
			_, err := Load(path)
			if (err == nil) != ok ||
				err != nil && !strings.HasPrefix(err.Error(), dir+": can be written") {
				t.Errorf("%s, %v: %v", path, mode, err)
			}
		}
	}
}
