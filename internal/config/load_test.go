// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const minimal = `tenant_id = "8a09f2d7-8415-4296-92b2-80bb4666c5fc"
client_id = "0b3f4a5e-1c2d-4e3f-8a9b-0c1d2e3f4a5b"
domains = ["contoso.com"]
`

func needRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make files that Load accepts")
	}
}

func write(t *testing.T, text string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	needRoot(t)
	c, err := Load(write(t, minimal, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	if c.Domains[0] != "contoso.com" {
		t.Errorf("Domains = %q", c.Domains)
	}
}

func TestLoadRefuses(t *testing.T) {
	needRoot(t)
	cases := []struct {
		name string
		path func(t *testing.T) string
		want string // PATH stands for the path
	}{
		{"missing", func(t *testing.T) string { return filepath.Join(t.TempDir(), "config.toml") },
			"PATH: does not exist; run: aadctl setup"},
		{"directory", func(t *testing.T) string { return t.TempDir() },
			"PATH: is not a regular file; put the file itself here"},
		{"symbolic link", func(t *testing.T) string {
			link := filepath.Join(t.TempDir(), "link.toml")
			if err := os.Symlink(write(t, minimal, 0o644), link); err != nil {
				t.Fatal(err)
			}
			return link
		}, "PATH: is a symbolic link; put the file itself here"},
		{"fifo without writer", func(t *testing.T) string {
			fifo := filepath.Join(t.TempDir(), "fifo")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			return fifo
		}, "PATH: is not a regular file; put the file itself here"},
		{"group may write", func(t *testing.T) string { return write(t, minimal, 0o664) },
			"PATH: can be written by others than root (mode 0664); run: chmod go-w PATH"},
		{"others may write", func(t *testing.T) string { return write(t, minimal, 0o602) },
			"PATH: can be written by others than root (mode 0602); run: chmod go-w PATH"},
		{"another owner", func(t *testing.T) string {
			path := write(t, minimal, 0o644)
			if err := os.Chown(path, 1234, 0); err != nil {
				t.Fatal(err)
			}
			return path
		}, "PATH: belongs to uid 1234, who could choose the server that vouches for people; run: " +
			"chown root: PATH"},
		{"too large", func(t *testing.T) string {
			return write(t, minimal+strings.Repeat("#\n", 33000), 0o644)
		},
			"PATH: is larger than 64 KiB; this is not a configuration of aad-login"},
		{"wrong value", func(t *testing.T) string {
			return write(t, minimal+"cloud = \"moon\"\n", 0o644)
		},
			`PATH:4: cloud: "moon" is not a choice; use one of auto, public, usgovernment, china`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := c.path(t)
			config, err := Load(path)
			if err == nil {
				t.Fatalf("Load = %+v", config)
			}
			if got := strings.ReplaceAll(err.Error(), path, "PATH"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if missing := c.name == "missing"; errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("errors.Is(err, ErrNotExist) = %v", !missing)
			}
		})
	}
}

type file struct {
	mode fs.FileMode
	uid  uint32
}

func (f file) Name() string       { return "config.toml" }
func (f file) Size() int64        { return 0 }
func (f file) Mode() fs.FileMode  { return f.mode }
func (f file) ModTime() time.Time { return time.Time{} }
func (f file) IsDir() bool        { return f.mode.IsDir() }
func (f file) Sys() any           { return &syscall.Stat_t{Uid: f.uid} }

// A user who can write config.toml can choose the server that vouches for everybody.
func TestTrusted(t *testing.T) {
	cases := []struct {
		file
		want bool
	}{
		{file{0o644, 0}, true},
		{file{0o600, 0}, true},
		{file{0o400, 0}, true},
		{file{0o755, 0}, true},
		{file{0o644, 1}, false},
		{file{0o644, 0xffffffff}, false},
		{file{0o664, 0}, false},
		{file{0o646, 0}, false},
		{file{0o666, 0}, false},
		{file{fs.ModeDir | 0o755, 0}, false},
		{file{fs.ModeSymlink | 0o644, 0}, false},
		{file{fs.ModeNamedPipe | 0o600, 0}, false},
		{file{fs.ModeDevice | 0o600, 0}, false},
	}
	for _, c := range cases {
		if p := trusted(c.file); (p == nil) != c.want {
			t.Errorf("trusted(%v uid %d) = %v", c.mode, c.uid, p)
		}
	}
}
