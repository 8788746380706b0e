// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"

	"aadlogin/internal/account"
	"aadlogin/internal/shell"
)

func (a *attempt) misspelt(right string) error {
	return a.refuse(Denied,
		fmt.Sprintf("This account is spelled %s on this machine. "+
			"Connect again with exactly that name.", right),
		"misspelt-name", "exact_name", right)
}

func (a *attempt) noShortName(short, problem string) error {
	return a.refuse(Denied,
		fmt.Sprintf("%s cannot sign in to this machine: its name here would be %s, which %s. "+
			"Ask its administrator.", clean(a.User, 200), short, problem),
		"no-short-name", "short_name", short, "problem", problem)
}

func (a *attempt) unknownToHost() error {
	return a.refuse(Misconfigured, tellAdministrator+
		"the name service of this machine does not know its sign-in accounts.",
		"name-service-error", "problem", `getpwnam does not answer; add "aad" to passwd and group `+
			"in /etc/nsswitch.conf and run: aadctl config apply")
}

func (a *attempt) noShell(which, problem string) error {
	return a.refuse(Misconfigured, tellAdministrator+
		fmt.Sprintf("the login shell of this account, %s, %s.", clean(which, 200), problem),
		"no-shell", "shell", which, "problem", problem,
		"fix", "install it, or give the account another: aadctl account set "+
			shell.Word(a.name.Account)+" --shell /bin/bash; for new ones, accounts.shell")
}

// refusedByHost does not guess the reason. aadctl, which may ask sshd, tells it.
func (a *attempt) refusedByHost() error {
	return a.refuse(Denied,
		fmt.Sprintf("The settings of sshd on this machine keep %s out. Ask its administrator.",
			a.name.Account),
		"refused-by-sshd", "fix", "aadctl check "+shell.Word(a.name.Account))
}

func (a *attempt) nameNotAccepted() error {
	return a.refuse(Denied,
		"This machine no longer accepts accounts with this name. Ask its administrator.",
		"name-not-accepted", "problem",
		"the account is stored, but its name is not one of the configured domains'")
}

func (a *attempt) nameOfGroup() error {
	return a.refuse(Denied, tellAdministrator+"an account cannot be named like one of its groups.",
		"name-of-a-group", "problem",
		"a local group has this name, and so its rights; rename or remove the group")
}

// formerName does not tell the new name, because nobody has signed in yet.
func (a *attempt) formerName() error {
	return a.refuse(Denied,
		"This name is no longer in use on this machine. "+
			"Connect again with the account's present name.",
		"former-name")
}

// otherTenant refuses an account of another directory, whose answers say nothing about this one's
// people.
func (a *attempt) otherTenant(acct account.Account) error {
	return a.refuse(Denied,
		"This account is of another directory than this machine is set up for. "+
			"Ask its administrator.",
		"other-tenant", "tid", acct.TenantID)
}

func (a *attempt) moved() error {
	return a.refuse(Denied,
		"The accounts of this machine changed while you were connecting. Connect again.",
		"stale-lookup")
}

func (a *attempt) demoted(acct account.Account) error {
	return a.refuse(Denied,
		fmt.Sprintf("%s is no longer an administrator of this machine. "+
			"Log out and in again to go on without, or ask for the role.", acct.Name),
		"demoted")
}
