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
	"aadlogin/internal/sshd"
)

// someNames is how many accounts a result names.
const someNames = 20

// shell finds login shells that are no programs of this machine, of accounts to come and of those that are here: sshd lets nobody
// in who has one, and says why in its own log alone.
func (p *Patient) shell(ctx context.Context) (results []Result) {
	lines, err := sshd.Read(p.Files)
	chroots := err == nil && lines.Chroots()
	configured := p.Config.Accounts.Shell
	if problem := account.ShellProblem(p.Files, configured); problem != "" && !(chroots && p.chrooted(ctx, p.someone())) {
		results = append(results, failedf(Configuration, "accounts.shell is %s, which %s: sshd lets no new account in", configured, problem).
			fix("or install it").run(p.configureShell(configured, problem)))
	}
	bad := p.withoutShell()
	for _, shell := range slices.Sorted(maps.Keys(bad)) {
		names := slices.DeleteFunc(bad[shell], func(name string) bool { return chroots && p.chrooted(ctx, name) })
		if len(names) > 0 {
			results = append(results, p.otherShell(shell, names))
		}
	}
	if results == nil {
		results = []Result{ok("login shells are there")}
	}
	return results
}

// withoutShell are the accounts with a shell that is no program, at most so many of each.
func (p *Patient) withoutShell() map[string][]string {
	bad := map[string][]string{}
	snapshot, err := account.Store{Dir: p.Config.Accounts.Directory}.Open()
	if err != nil {
		return bad // the check of the store tells
	}
	defer snapshot.Close()
	good := map[string]bool{}
	for a := range snapshot.All() {
		if !a.Removed.IsZero() || !a.Locked.IsZero() || good[a.Shell] || len(bad[a.Shell]) == someNames {
			continue
		}
		if good[a.Shell] = account.ShellProblem(p.Files, a.Shell) == ""; !good[a.Shell] {
			bad[a.Shell] = append(bad[a.Shell], a.Name)
		}
	}
	return bad
}

// chrooted: sshd locks this account into a directory, and so does not look at its shell.
func (p *Patient) chrooted(ctx context.Context, name string) bool {
	said, err := p.sshdFor(ctx, name)
	dir := strings.Join(settings(said)["chrootdirectory"], " ")
	return err == nil && dir != "" && !strings.EqualFold(dir, "none")
}

func (p *Patient) otherShell(shell string, names []string) Result {
	problem := account.ShellProblem(p.Files, shell)
	r := failedf(Machine, "the login shell of %s is %s, which %s: sshd does not let them in", strings.Join(names, ", "), shell, problem)
	if problem == notExecutable {
		return r.run("chmod a+x " + shellWord(shell))
	}
	words := make([]string, len(names))
	for i, name := range names {
		words[i] = shellWord(name)
	}
	return r.fix("or install it").
		run(fmt.Sprintf("for a in %s; do aadctl account set \"$a\" --shell %s; done", strings.Join(words, " "), p.someShell()))
}

const notExecutable = "is not executable"

// configureShell edits the one key of that name.
func (p *Patient) configureShell(shell, problem string) string {
	if problem == notExecutable {
		return "chmod a+x " + shellWord(shell)
	}
	return fmt.Sprintf(`sed -Ei 's#^([[:blank:]]*(accounts\.)?shell[[:blank:]]*=[[:blank:]]*)"[^"]*"#\1"%s"#' %s && %s`,
		p.someShell(), shellWord(p.configPath()), apply)
}

// someShell is a shell of this machine.
func (p *Patient) someShell() string {
	if account.ShellProblem(p.Files, "/bin/bash") == "" {
		return "/bin/bash"
	}
	return "/bin/sh"
}
