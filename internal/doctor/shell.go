// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/shell"
	"aadlogin/internal/sshd"
)

// someNames is how many accounts a finding names.
const someNames = 20

// shell finds login shells that are no programs of this machine: the configured one, and those of
// stored accounts. sshd refuses an account with such a shell, and says why only in its own log.
func (h *Host) shell(ctx context.Context) (findings []Finding) {
	lines, err := sshd.Read(h.Files)
	chroots := err == nil && lines.Chroots()
	configured := h.Config.Accounts.Shell
	if problem := account.ShellProblem(h.Files, configured); problem != "" &&
		!(chroots && h.chrooted(ctx, h.someone())) {
		findings = append(findings,
			failedf(Configuration, "accounts.shell is %s, which %s: sshd lets no new account in",
				configured, problem).
				fix("or install it").run(h.configureShell(configured, problem)))
	}
	bad := h.withoutShell()
	for _, shell := range slices.Sorted(maps.Keys(bad)) {
		names := slices.DeleteFunc(bad[shell], func(name string) bool {
			return chroots && h.chrooted(ctx, name)
		})
		if len(names) > 0 {
			findings = append(findings, h.otherShell(shell, names))
		}
	}
	if findings == nil {
		findings = []Finding{ok("login shells are there")}
	}
	return findings
}

// withoutShell returns the accounts whose shell is no program, by shell. It limits the number of
// accounts for each shell.
func (h *Host) withoutShell() map[string][]string {
	bad := map[string][]string{}
	snapshot, err := account.Store{Dir: h.Config.Accounts.Directory}.Open()
	if err != nil {
		return bad // the check of the store reports it
	}
	defer snapshot.Close()
	good := map[string]bool{}
	for a := range snapshot.All() {
		if !a.Removed.IsZero() || !a.Locked.IsZero() || good[a.Shell] ||
			len(bad[a.Shell]) == someNames {
			continue
		}
		if good[a.Shell] = account.ShellProblem(h.Files, a.Shell) == ""; !good[a.Shell] {
			bad[a.Shell] = append(bad[a.Shell], a.Name)
		}
	}
	return bad
}

// chrooted reports whether sshd locks this account into a directory. sshd then does not look at its
// shell.
func (h *Host) chrooted(ctx context.Context, name string) bool {
	said, err := h.sshdFor(ctx, name)
	dir := strings.Join(settings(said)["chrootdirectory"], " ")
	return err == nil && dir != "" && !strings.EqualFold(dir, "none")
}

func (h *Host) otherShell(path string, names []string) Finding {
	problem := account.ShellProblem(h.Files, path)
	r := failedf(Machine, "the login shell of %s is %s, which %s: sshd does not let them in",
		strings.Join(names, ", "), path, problem)
	if problem == notExecutable {
		return r.run("chmod a+x " + shell.Word(path))
	}
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = shell.Word(name)
	}
	return r.fix("or install it").
		run(fmt.Sprintf("for a in %s; do aadctl account set \"$a\" --shell %s; done",
			strings.Join(words, " "), h.someShell()))
}

const notExecutable = "is not executable"

// configureShell returns the command that sets accounts.shell.
func (h *Host) configureShell(path, problem string) string {
	if problem == notExecutable {
		return "chmod a+x " + shell.Word(path)
	}
	return fmt.Sprintf(`sed -Ei 's#^([[:blank:]]*(accounts\.)?shell[[:blank:]]*=[[:blank:]]*)"[^"]*"#\1"%s"#' %s && %s`,
		h.someShell(), shell.Word(h.configPath()), apply)
}

// someShell returns a shell that this machine has.
func (h *Host) someShell() string {
	if account.ShellProblem(h.Files, "/bin/bash") == "" {
		return "/bin/bash"
	}
	return "/bin/sh"
}
