// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

// Scripts branch on the exit code, so each kind of error must keep its own.
func TestExplain(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/var/lib/aad-login/accounts.lock",
		Err: fs.ErrPermission}
	cases := []struct {
		err  error
		code int
		want string
	}{
		{nil, exitOK, ""},
		{usage("flag needed"), exitUsage,
			"aadctl: flag needed\naadctl: hint: aadctl --help lists commands and flags\n"},
		{&config.Error{File: "c.toml", Line: 3, Key: "cloud", Problem: "is odd", Fix: "even it"},
			exitConfiguration,
			"aadctl: c.toml:3: cloud: is odd\naadctl: hint: even it\n"},
		{inStore(fmt.Errorf("account: lock: %w", denied)), exitStore,
			"aadctl: lock: open /var/lib/aad-login/accounts.lock: permission denied\naadctl: " +
				"hint: run this as root\n"},
		{denied, exitNo,
			"aadctl: open /var/lib/aad-login/accounts.lock: permission denied\naadctl: hint: run " +
				"this as root\n"},
		{inStore(&account.DamagedError{File: "/s/accounts.cdb", Problem: "is truncated"}),
			exitStore,
			"aadctl: /s/accounts.cdb: is truncated\naadctl: hint: nothing was changed; restore " +
				"it from a backup: aadctl store restore FILE\n"},
		{&account.VersionError{File: "/s/accounts.cdb", Format: 9}, exitStore,
			"aadctl: /s/accounts.cdb: has format 9, this version reads 1\naadctl: hint: install " +
				"the version of aad-login that wrote it\n"},
		{account.ErrMissing, exitStore,
			"aadctl: there is no store yet\naadctl: hint: run: aadctl config apply\n"},
		{inStore(refused("p", errors.New("account: x: y"))), exitNo,
			"aadctl: p: x: y\naadctl: hint: nothing was imported; correct the line and import " +
				"the file again\n"},
		{inStore(errors.New("account: write the store: no space left on device")), exitStore,
			"aadctl: write the store: no space left on device\n"},
		{errors.New("anything else"), exitNo, "aadctl: anything else\n"},
	}
	for _, c := range cases {
		var out bytes.Buffer
		if code := complain(&out, c.err); code != c.code || out.String() != c.want {
			t.Errorf("complain(%v) = %d, want %d\ngot  %s\nwant %s", c.err, code,
				c.code, out.String(), c.want)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A list that was cut short must not look complete to a script.
func TestOutputThatCannotBeWritten(t *testing.T) {
	var errout bytes.Buffer
	if code := run(new(options), []string{"version"}, nil, fullDisk{}, &errout); code != exitNo {
		t.Errorf("exit status %d, want %d", code, exitNo)
	}
	if want := "aadctl: no space left on device\n"; errout.String() != want {
		t.Errorf("got %q, want %q", errout.String(), want)
	}
}

// The name of a file may contain any characters.
func TestComplaintIsPrintable(t *testing.T) {
	var said strings.Builder
	complain(&said, no("open \x1b[2J\u202e: no such file", "see \x1b[2J\n"))
	if want := "aadctl: \"open \\x1b[2J\\u202e: no such file\"\naadctl: hint: \"see \\x1b[2J\\n\"\n"; said.String() != want {
		t.Errorf("got  %q\nwant %q", said.String(), want)
	}
}
