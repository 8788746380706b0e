// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/shell"
)

// These are the sentences about accounts, the store and files, with a hint for each.

const allAccounts = "aadctl account list --all shows the accounts"

func unknownAccount(in lookup, which string) error {
	if now, err := in.Holder(which); err == nil || errors.Is(err, account.ErrRemoved) {
		return no(fmt.Sprintf("%s: is a former name of uid %d", which, now.UID), "its name is "+
			now.Name)
	}
	if a, err := in.ByName(strings.ToLower(which)); a.Name != "" && a.Name != which &&
		(err == nil || errors.Is(err, account.ErrRemoved)) {
		return no(fmt.Sprintf("%s: there is no such account", which), "it is spelled "+a.Name)
	}
	return no(fmt.Sprintf("%s: there is no such account", which), allAccounts)
}

func removedAccount(a account.Account) error {
	return no(fmt.Sprintf("%s: was removed on %s", a.Name, when(a.Removed)),
		"to bring it back: aadctl account restore "+shell.Word(a.Name))
}

func movedAccount(a account.Account) error {
	return no(
		fmt.Sprintf("%d: nobody has this uid; %s had it until %s", a.UID, a.Name, when(a.Removed)),
		fmt.Sprintf("its uid is %d", a.MovedTo))
}

func noShell(file, shell, problem string) error {
	return &failure{exitConfiguration,
		fmt.Sprintf("%s: accounts.shell: %s %s, and sshd lets nobody in without a login shell",
			file, shell, problem),
		"install it, or set accounts.shell to one that is there, such as /bin/bash"}
}

func takenName(in lookup, name string) error {
	if held, err := in.ByName(name); err == nil {
		return no(fmt.Sprintf("%s: is the name of uid %d", name, held.UID),
			"if two people have exchanged their names, use --swap")
	}
	return no(fmt.Sprintf("%s: was the name of another account", name),
		"nobody else ever gets it; "+allAccounts)
}

func badName(name string, domains []string, err error) error {
	if spelling := (*account.SpellingError)(nil); errors.As(err, &spelling) {
		return no(fmt.Sprintf("%s: is not how a name is spelled here", name), "use "+spelling.Right)
	}
	return no(fmt.Sprintf("%s: is not a name of an accepted domain", name), "accepted are: "+
		strings.Join(domains, ", "))
}

func wouldUndo(file string, undone []account.Account) error {
	var names []string
	for _, a := range undone {
		names = append(names, a.Name)
	}
	return no(fmt.Sprintf("%s: would undo that accounts came to be, or were locked or "+
		"removed: %d (%s)", file, len(undone), few(names)),
		"nothing was changed; --force restores it, and the ids of accounts it lacks may be given "+
			"to others")
}

// few returns the first elements of a list.
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

// damagedStore returns the failure that names the way back. No command repairs a store by itself,
// because the store says whose files are whose.
func damagedStore(d *account.DamagedError) *failure {
	return &failure{exitStore, d.File + ": " + d.Problem, "nothing was changed; " + d.Fix()}
}

// refused returns the failure of an import that imported nothing. err may join several errors, of
// which the first are shown.
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

// some returns the first of the process ids.
func some(pids []int) string {
	const few = 5
	text := strings.Trim(fmt.Sprint(pids[:min(few, len(pids))]), "[]")
	if more := len(pids) - few; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
