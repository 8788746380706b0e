// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

// This file turns every error into a text for a person and an exit code. The sentences are in the
// files beside it: about accounts and files (sentences.go) and about the command line (usage.go).

// These are the exit codes.
const (
	exitOK            = 0
	exitNo            = 1 // the answer is no, or the work could not be done
	exitUsage         = 2
	exitConfiguration = 3
	exitUnreachable   = 4 // Entra ID, Azure or the metadata service
	exitStore         = 5
)

// A failure is an error for the person at the terminal, with its exit code.
type failure struct {
	code int
	what string
	hint string
}

func (f *failure) Error() string { return f.what }

// A several is a failure that needs more than one line.
type several struct {
	*failure
	more []string
}

func (s *several) Unwrap() error { return s.failure }

// complain writes err for a person to read and returns the exit code.
func complain(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	f := explain(err)
	lines := []string{f.what}
	if s := (*several)(nil); errors.As(err, &s) {
		lines = append(lines, s.more...)
	}
	for _, line := range lines {
		fmt.Fprintln(w, "aadctl:", printable(line)) // it may contain the name of a file
	}
	if f.hint != "" {
		fmt.Fprintln(w, "aadctl: hint:", printable(f.hint))
	}
	return f.code
}

// explain returns the exit code and the hint for an error of another package. An unknown error
// keeps its text and gets exitNo.
func explain(err error) *failure {
	var (
		own     *failure
		conf    *config.Error
		damaged *account.DamagedError
		version *account.VersionError
		begins  *account.RangeError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &conf):
		return &failure{exitConfiguration, conf.What(), conf.Fix}
	case errors.As(err, &damaged):
		return damagedStore(damaged)
	case errors.As(err, &version):
		return &failure{exitStore,
			fmt.Sprintf("%s: has format %d, this version reads %d", version.File,
				version.Format, account.Format),
			"install the version of aad-login that wrote it"}
	case errors.As(err, &begins):
		return &failure{exitConfiguration, plain(begins), begins.Fix()}
	case errors.Is(err, account.ErrMissing):
		return &failure{exitStore, "there is no store yet", "run: aadctl config apply"}
	case errors.Is(err, fs.ErrPermission):
		return no(plain(err), "run this as root")
	default:
		return no(plain(err), "")
	}
}

// plain drops the name of the package, which tells a person nothing.
func plain(err error) string {
	text := err.Error()
	for _, name := range []string{"account: ", "signin: configuration: ", "token: ", "azure: "} {
		text = strings.TrimPrefix(text, name)
	}
	return text
}

// inStore gives exitStore to an error that has no better exit code.
func inStore(err error) error {
	own, begins := (*failure)(nil), (*account.RangeError)(nil)
	if err == nil || errors.As(err, &own) || errors.As(err, &begins) {
		return err
	}
	f := explain(err)
	f.code = exitStore
	return f
}

func no(what, hint string) *failure { return &failure{exitNo, what, hint} }

// unchanged returns the failure of an edit.
func unchanged(err error) error {
	if own := (*failure)(nil); err == nil || errors.As(err, &own) {
		return err
	}
	return no(plain(err), "nothing was changed")
}
