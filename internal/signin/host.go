// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/sshd"
)

// sshd decides about a name before it asks any module (allowed_user() of OpenSSH: login shell,
// AllowUsers, DenyUsers, AllowGroups, DenyGroups). It then goes on as if nothing were wrong, so
// that strangers learn nothing, and drops the person without a word after a sign-in that succeeded.
// The title of its process shows the decision: the name, or "unknown".

// A hostDecision is what the program that asks has already decided about the name.
type hostDecision int

const (
	undecided hostDecision = iota // not sshd, or one that says it in another way
	hostAdmits
	hostRefuses
)

// decisionIn reads the title of sshd's process for its conversation with PAM: "sshd:
// alice@contoso.example [pam]", "sshd-session: unknown [priv]". For an account
// named "unknown" it is undecided.
func decisionIn(title, name string) hostDecision {
	program, about, found := strings.Cut(strings.TrimRight(title, "\x00 "), ": ")
	if !found || !strings.HasPrefix(program, "sshd") || name == "unknown" {
		return undecided
	}
	about, pam := strings.CutSuffix(about, " [pam]")
	if !pam {
		about, pam = strings.CutSuffix(about, " [priv]")
	}
	switch {
	case pam && about == name:
		return hostAdmits
	case pam && about == "unknown":
		return hostRefuses
	}
	return undecided
}

// hostTitle returns the title of the process that loaded the module. This process is a fork of it.
func hostTitle() string {
	title, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		return ""
	}
	return string(title)
}

// checkHost refuses, before anybody opens a browser, a person whom the host will not let in
// whatever the browser says. login, unlike sshd, says itself that there is no shell, but only then.
func (a *attempt) checkHost() error {
	refuses := decisionIn(a.HostTitle(), a.User) == hostRefuses
	shell := a.shell()
	problem := account.ShellProblem(a.Root, shell)
	switch {
	case problem != "" && (refuses || a.Service == "login" || a.Service == "remote"):
		return a.noShell(shell, problem)
	case refuses && !a.groupsMayHelp():
		return a.refusedByHost()
	}
	return nil
}

// stillAdmitted checks the people whom checkHost has let pass once more. The sign-in may have
// brought other groups, but sshd decided by the groups of before.
func (a *attempt) stillAdmitted() error {
	if decisionIn(a.HostTitle(), a.User) == hostRefuses {
		return a.refusedByHost()
	}
	return nil
}

// shell returns the shell that the host has been told of.
func (a *attempt) shell() string {
	snapshot, err := a.store.Open()
	if err != nil {
		return a.rules.Shell // checkStore has looked what is wrong with it
	}
	defer snapshot.Close()
	if held, err := snapshot.ByName(a.name.Account); err == nil {
		return held.Shell
	}
	return a.rules.Shell
}

// groupsMayHelp reports whether a rule of sshd names a group that a sign-in adds people to or
// removes them from. If sshd's configuration cannot be read, there may be such a rule.
func (a *attempt) groupsMayHelp() bool {
	c, err := sshd.Read(a.Root)
	return err != nil || c.NamesGroup(a.cfg.ChangingGroups()...)
}
