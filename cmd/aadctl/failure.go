// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
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

// several is a failure of more than one line.
type several struct {
	*failure
	more []string
}

func (s *several) Unwrap() error { return s.failure }

// complain tells a person about err and returns the exit code.
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
		fmt.Fprintln(w, "aadctl:", printable(line)) // it may name a file
	}
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
			fmt.Sprintf("%s: has format %d, this version reads %d", version.File, version.Format, account.Format),
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

// plain drops the package's name, which says nothing to a person.
func plain(err error) string {
	text := err.Error()
	for _, name := range []string{"account: ", "signin: configuration: ", "token: ", "azure: "} {
		text = strings.TrimPrefix(text, name)
	}
	return text
}

// inStore marks what went wrong with the store and is not known better.
func inStore(err error) error {
	own, begins := (*failure)(nil), (*account.RangeError)(nil)
	if err == nil || errors.As(err, &own) || errors.As(err, &begins) {
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

// refused is a no to the lines of file, none of which was taken. err may be
// several, joined; the first so many are told.
func refused(file string, err error) error {
	const told = 20
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	var lines []string
	for _, err := range all[:min(told, len(all))] {
		lines = append(lines, file+": "+plain(err))
	}
	if n := len(all) - told; n > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", file, n))
	}
	hint := "nothing was imported; correct the line and import the file again"
	if len(lines) > 1 {
		hint = "nothing was imported; correct these lines and import the file again"
	}
	return &several{no(lines[0], hint), lines[1:]}
}

const allAccounts = "aadctl account list --all shows the accounts"

func no(what, hint string) *failure { return &failure{exitNo, what, hint} }

// unchanged is the no of an edit.
func unchanged(err error) error {
	if own := (*failure)(nil); err == nil || errors.As(err, &own) {
		return err
	}
	return no(plain(err), "nothing was changed")
}

func unknownAccount(in lookup, which string) error {
	if now, err := in.Holder(which); err == nil || errors.Is(err, account.ErrRemoved) {
		return no(fmt.Sprintf("%s: is a former name of uid %d", which, now.UID), "its name is "+now.Name)
	}
	return no(fmt.Sprintf("%s: there is no such account", which), allAccounts)
}

func removedAccount(a account.Account) error {
	return no(fmt.Sprintf("%s: was removed on %s", a.Name, when(a.Removed)), "to bring it back: aadctl account restore "+a.Name)
}

func movedAccount(a account.Account) error {
	return no(fmt.Sprintf("%d: nobody has this uid; %s had it until %s", a.UID, a.Name, when(a.Removed)),
		fmt.Sprintf("its uid is %d", a.MovedTo))
}

func noShell(file, shell, problem string) error {
	return &failure{exitConfiguration, fmt.Sprintf("%s: accounts.shell: %s %s, and sshd lets nobody in without a login shell", file, shell, problem),
		"install it, or set accounts.shell to one that is there, such as /bin/bash"}
}

func takenName(in lookup, name string) error {
	if held, err := in.ByName(name); err == nil {
		return no(fmt.Sprintf("%s: is the name of uid %d", name, held.UID), "if two people have exchanged their names, use --swap")
	}
	return no(fmt.Sprintf("%s: was the name of another account", name), "nobody else ever gets it; "+allAccounts)
}

func badName(name string, domains []string, err error) error {
	if spelling := (*account.SpellingError)(nil); errors.As(err, &spelling) {
		return no(fmt.Sprintf("%s: is not how a name is spelled here", name), "use "+spelling.Right)
	}
	return no(fmt.Sprintf("%s: is not a name of an accepted domain", name), "accepted are: "+strings.Join(domains, ", "))
}

func wouldUndo(file string, undone []account.Account) error {
	var names []string
	for _, a := range undone {
		names = append(names, a.Name)
	}
	return no(fmt.Sprintf("%s: would undo that accounts came to be, or were locked or removed: %d (%s)",
		file, len(undone), few(names)),
		"nothing was changed; --force restores it, and the ids of accounts it lacks may be given to others")
}

// few are the first of a list.
func few(list []string) string {
	const few = 3
	if len(list) > few {
		list = append(slices.Clone(list[:few]), "…")
	}
	return strings.Join(list, ", ")
}

func busy(a account.Account, pids []int, verb string) error {
	hint := fmt.Sprintf("end them first: pkill -KILL -u %d", a.UID)
	if verb == "remove" {
		hint += "; or use --force"
	}
	return no(fmt.Sprintf("%s: processes run under uid %d: %s", a.Name, a.UID, some(pids)), hint)
}

func fileThere(file string) error {
	return no(file+": is there already", "name another file, or use --force")
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
