// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
)

// The wording of every error is in this file.

// A failure is an error for the person at the terminal, with its exit code.
type failure struct {
	code int
	what string
	hint string
}

func (f *failure) Error() string { return f.what }

// report tells a person about err and returns the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	f := explain(err)
	fmt.Fprintln(w, "aadctl:", printable(f.what)) // it may name a file
	if f.hint != "" {
		fmt.Fprintln(w, "aadctl: hint:", printable(f.hint))
	}
	return f.code
}

// explain finds code and hint for the errors of other packages. What is not
// known here is reported as it is, as a no.
func explain(err error) *failure {
	var (
		own     *failure
		conf    *config.Error
		damaged *account.DamagedError
		version *account.VersionError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &conf):
		return &failure{exitConfiguration, conf.What(), conf.Fix}
	case errors.As(err, &damaged):
		return damagedStore(damaged)
	case errors.As(err, &version):
		return &failure{exitStore, fmt.Sprintf("%s: has format %d, this version reads %d", version.File, version.Format, account.Format),
			"install the version of aad-login that wrote it"}
	case errors.Is(err, account.ErrMissing):
		return &failure{exitStore, "there is no store yet", "run: aadctl config apply"}
	case errors.Is(err, fs.ErrPermission):
		return &failure{exitNo, plain(err), "run this as root"}
	default:
		return &failure{exitNo, plain(err), ""}
	}
}

// plain drops the package's name, which says nothing to a person.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "account: ") }

// inStore marks what went wrong with the store and is not known better.
func inStore(err error) error {
	if own := (*failure)(nil); err == nil || errors.As(err, &own) {
		return err
	}
	f := explain(err)
	f.code = exitStore
	return f
}

// damagedStore gives the way back. Nothing here repairs a store by itself: it
// says whose files are whose.
func damagedStore(d *account.DamagedError) *failure {
	return &failure{exitStore, d.File + ": " + d.Problem, "nothing was changed; " + d.Fix()}
}

// refused is a no to the lines of file, none of which was taken.
func refused(file string, err error) *failure {
	return &failure{exitNo, file + ": " + plain(err), "nothing was imported; correct the line and import the file again"}
}

func usage(what string) *failure {
	return &failure{exitUsage, what, "aadctl --help lists commands and flags"}
}

func noCommand(cmd *cobra.Command, args []string) *failure {
	if len(args) == 0 {
		return usage(below(cmd) + "a command is missing")
	}
	f := usage(fmt.Sprintf("%sthere is no command %q", below(cmd), args[0]))
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		f.hint = "did you mean: " + cmd.CommandPath() + " " + like[0]
	}
	return f
}

func arguments(cmd *cobra.Command, names, args []string) error {
	switch {
	case len(args) < len(names):
		return usage(below(cmd) + names[len(args)] + " is missing")
	case len(args) > len(names):
		return usage(fmt.Sprintf("%s%q is one argument too many", below(cmd), args[len(names)]))
	default:
		return nil
	}
}

// below names cmd without aadctl, which begins every error anyway.
func below(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return ""
	}
	return strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ") + ": "
}
