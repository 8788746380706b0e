// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"aadlogin/internal/account"
)

// notStored refuses a person whose sign-in was good, because an account that is not on disk must
// not be let in.
func (a *attempt) notStored(err error) error {
	var moved *account.MovedError
	var damaged *account.DamagedError
	var conflict *account.ConflictError
	var home *account.HomeError
	var left *account.LeftIDError
	switch {
	case errors.As(err, &moved):
		return a.moved()
	case errors.As(err, &conflict):
		return a.takenLocally(conflict)
	case errors.As(err, &home):
		return a.homeOfAnother(home)
	case errors.As(err, &left):
		return a.idOfAnother(left)
	case errors.Is(err, account.ErrOtherObject):
		return a.refuse(Denied,
			fmt.Sprintf("The name %s belongs to somebody else on this machine. "+
				"Ask its administrator.", a.name.Account),
			"name-of-another", "error", err.Error())
	case errors.Is(err, account.ErrRemoved):
		return a.refuse(Denied,
			"This account has been removed from this machine. Ask its administrator.",
			"removed-account")
	case errors.Is(err, account.ErrLocked):
		return a.refuse(Denied,
			"This account has been locked on this machine. Ask its administrator.",
			"locked-account")
	case errors.As(err, &damaged):
		return a.refuse(Misconfigured, tellAdministrator+
			"its account store is damaged; the system log says how to restore it.",
			"store-damaged", "error", err.Error())
	case mayNotWrite(err):
		return a.notWritable(err)
	default:
		return a.refuse(Broken, tellAdministrator+
			"the account could not be stored, so nobody was signed in.",
			"store-error", "error", err.Error())
	}
}

// takenLocally does not say who has the name or id, because nobody may have signed in yet.
func (a *attempt) takenLocally(conflict *account.ConflictError) error {
	return a.refuse(Denied, tellAdministrator+
		"another account or group here has the name or id of this account; "+
		"the system log says which.",
		"local-conflict", "problem", plain(conflict),
		"fix", "give one of the two another: usermod -u, groupmod -g; or import this account "+
			"with an id of its own: aadctl account import")
}

func (a *attempt) homeOfAnother(home *account.HomeError) error {
	return a.refuse(Denied, tellAdministrator+
		"the home directory of this account belongs to somebody else here; "+
		"the system log says to whom.",
		"home-of-another", "problem", plain(home), "fix", home.Fix())
}

func (a *attempt) idOfAnother(left *account.LeftIDError) error {
	return a.refuse(Denied, tellAdministrator+
		"the id of this account is that of files which another account has left here; "+
		"the system log says which.",
		"id-of-another", "problem", plain(left), "fix", left.Fix())
}

// amongGroups refuses an account whose id is a group's by the rules in force: its private group
// would give it that group's permissions.
func (a *attempt) amongGroups(err error) error {
	fix := "begin accounts.id_range at another number"
	if refused := (*account.RangeError)(nil); errors.As(err, &refused) {
		fix = refused.Fix()
	}
	return a.refuse(Denied, tellAdministrator+
		"the id of this account is that of a group here; the system log says what to do.",
		"id-of-a-group", "fix", fix+", and run: aadctl config apply")
}

// mayNotWrite reports whether a path is read-only, or forbidden to root. Programs that systemd runs
// in a sandbox, such as polkit's helper, see most of /var read-only; a security module may forbid
// the rest.
func mayNotWrite(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission)
}

func (a *attempt) notWritable(err error) *refusal {
	return a.refuse(Misconfigured, tellAdministrator+
		"the program that asks for this sign-in may not write where sign-ins are kept; "+
		"the system log says where.",
		"not-writable", "error", err.Error(),
		"fix", "lift the sandbox of the service that runs it (systemctl edit): [Service] "+
			"ReadWritePaths=-/var/lib/aad-login -/var/cache/aad-login -/run/aad-login; "+
			"see that the file system is mounted for writing")
}
