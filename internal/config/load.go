// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxSize bounds the file; the shipped one with every key set is 4 KiB.
const maxSize = 64 << 10

// Load reads and checks the file at path, which must be a regular file owned
// by root that only root can write. Every error is an [*Error].
//
// Whoever writes this file chooses the server that vouches for people, so the
// checks look at the open descriptor and never at the path again: a file
// swapped in between gains nothing (CWE-367). A symbolic link or a FIFO is
// refused without being followed or waited for.
func Load(path string) (*Config, error) {
	f, err := os.OpenFile(path,
		os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, unopened(path, err)
	}
	defer f.Close()
	if dir, err := filepath.Abs(filepath.Dir(path)); err == nil {
		if err := besideOthers(dir); err != nil {
			return nil, err
		}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, unread(path, err)
	}
	if p := trusted(info); p != nil {
		e := p.at("", 0)
		e.File = path
		if strings.HasPrefix(e.Fix, runs) {
			e.Fix += " " + path
		}
		return nil, e
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, unread(path, err)
	}
	if len(text) > maxSize {
		return nil, &Error{File: path, Problem: "is larger than 64 KiB",
			Fix: "this is not a configuration of aad-login"}
	}
	return Parse(path, text)
}

// runs begins a Fix that is a command.
const runs = "run: "

// trusted says why a file must not be believed. Pure, so that a test can hand
// it any owner and mode.
func trusted(info fs.FileInfo) *problem {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.Mode().IsRegular():
		return wrong("is not a regular file", "put the file itself here")
	case !ok:
		return wrong("has no owner that can be read", "put it on a file system with owners")
	case stat.Uid != 0:
		return wrong(fmt.Sprintf("belongs to uid %d, "+
			"who could choose the server that vouches for people", stat.Uid), runs+"chown root:")
	case info.Mode().Perm()&0o022 != 0:
		mode := info.Mode().Perm()
		return wrong(fmt.Sprintf("can be written by others than root (mode %04o)", mode),
			runs+"chmod go-w")
	default:
		return nil
	}
}

func unopened(path string, err error) *Error {
	e := unread(path, err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Problem, e.Fix = "does not exist", runs+"aadctl setup"
	case errors.Is(err, syscall.ELOOP):
		e.Problem, e.Fix = "is a symbolic link", "put the file itself here"
	case errors.Is(err, fs.ErrPermission):
		e.Problem, e.Fix = "cannot be read: permission denied", "run this as root"
	}
	return e
}

func unread(path string, err error) *Error {
	cause := err
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		cause = p.Err // without the path, which the error names already
	}
	return &Error{File: path, Problem: "cannot be read: " + cause.Error(),
		Fix: "check the path and the disk", Err: err}
}
