// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"os"
	osuser "os/user"
	"path/filepath"
	"slices"
	"strings"

	"aadlogin/internal/account"
)

// checkName makes sure that the name is ours, in its one spelling, and known to the host if it must
// be.
func (a *attempt) checkName() error {
	a.rulesInForce()
	name, err := a.rules.Name(a.User)
	var spelling *account.SpellingError
	var short *account.ShortNameError
	switch {
	case errors.As(err, &spelling):
		return a.otherSpelling(spelling.Right)
	// without its domain it may be a local one
	case errors.As(err, &short) && strings.Contains(a.User, "@"):
		return a.noShortName(short.Short, short.Problem)
	case err != nil:
		return a.foreignName()
	}
	a.name = name
	if err := a.checkGroup(); err != nil {
		return err
	}
	if err := a.checkStore(); err != nil {
		return err
	}
	if !a.KnownToHost && a.takesIDsFirst() {
		return a.unknownToHost()
	}
	return a.currentHost()
}

// otherSpelling tells the right name unless it leads nowhere: a short name of a local user or group
// is theirs.
func (a *attempt) otherSpelling(right string) error {
	if strings.Contains(right, "@") {
		return a.misspelt(right)
	}
	locals, err := a.locals()
	if err != nil {
		return err
	}
	if locals.NameConflict(account.Account{Name: right}) != nil {
		return a.noShortName(right, "is the name of a local account or group")
	}
	return a.misspelt(right)
}

// foreignName ends an attempt with NotOurs unless the name is or was a stored account's. Such a
// name's domain has been taken out of the configuration since, but the name service still answers
// it. To stand aside would then let somebody in with a key whom nobody has authorized.
func (a *attempt) foreignName() error {
	if !a.KnownToHost {
		return &refusal{verdict: NotOurs}
	}
	snapshot, err := a.store.Open()
	switch {
	case errors.Is(err, account.ErrMissing):
		return &refusal{verdict: NotOurs}
	case err != nil && a.UID >= a.rules.Low && a.UID <= a.rules.High:
		return a.notStored(err)
	case err != nil:
		return &refusal{verdict: NotOurs}
	}
	defer snapshot.Close()
	switch had, err := snapshot.Had(a.User, a.UID); {
	case err != nil:
		return a.notStored(err)
	case had:
		return a.nameNotAccepted()
	}
	return &refusal{verdict: NotOurs}
}

// checkGroup refuses a name that a local group has. The account's private group has the same name,
// and sudoers, sshd and polkit give permissions by the names of groups.
func (a *attempt) checkGroup() error {
	var unknown osuser.UnknownGroupError
	switch _, err := a.LookupGroup(a.name.Account); {
	case err == nil:
		return a.nameOfGroup()
	case errors.As(err, &unknown), errors.Is(err, os.ErrNotExist): // the group, or all groups
		return nil
	default:
		return a.unforeseen("unforeseen", err) // read, not written
	}
}

// takesIDsFirst reports whether the host takes the session's ids before it authenticates, and is
// told about new accounts for that reason.
func (a *attempt) takesIDsFirst() bool {
	return slices.Contains(a.cfg.Accounts.PreAuthServices, a.Program)
}

// inSSHD reports whether the host is OpenSSH's server. sshd-session is its part for one connection
// (from 9.8 on).
func (a *attempt) inSSHD() bool { return strings.HasPrefix(a.Program, "sshd") }

// program returns the name of an executable. sudo-rs is called sudo as well, in a directory of its
// own (/usr/lib/cargo/bin).
func program(path string) string {
	dir, name := filepath.Split(strings.TrimSuffix(path, " (deleted)"))
	if name == "sudo" && strings.HasSuffix(dir, "/cargo/bin/") {
		return "sudo-rs"
	}
	return name
}

// hostProgram returns the program that loaded the module. This process is a fork of it.
func hostProgram() string {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return ""
	}
	return program(path)
}

// checkStore finds out, before anybody opens a browser, what would refuse the person in the end: a
// damaged store, a name that is nobody's any more, an entry that the host got under an older
// configuration.
func (a *attempt) checkStore() error {
	snapshot, err := a.store.Open()
	switch {
	case errors.Is(err, account.ErrMissing):
		return a.unclaimed(a.rules.First(a.name))
	case err != nil:
		return a.notStored(err)
	}
	defer snapshot.Close()
	held, err := snapshot.Holder(a.name.Account)
	switch {
	case errors.Is(err, account.ErrUnknown):
		return a.checkFirst(snapshot)
	case err != nil:
		return a.notStored(err)
	case held.Name != a.name.Account:
		return a.formerName()
	case !held.Locked.IsZero():
		return a.notStored(account.ErrLocked)
	case a.rules.IsGroup(held.UID):
		return a.amongGroups(a.fit(snapshot))
	case a.KnownToHost && held.UID != a.UID:
		return a.moved()
	case held.ObjectID == "":
		return a.free(held)
	}
	return nil
}

// checkFirst is checkStore for an account that a first sign-in would store.
func (a *attempt) checkFirst(s *account.Snapshot) error {
	if err := a.checkRules(s); err != nil {
		return err
	}
	first, err := s.NewAccount(a.name)
	if err != nil {
		return a.notStored(err)
	}
	return a.unclaimed(first)
}

// checkRules makes sure that the host was told what a first sign-in stores: home and shell by the
// present configuration, and an id that nobody else has got since.
func (a *attempt) checkRules(s *account.Snapshot) error {
	if !a.KnownToHost {
		return nil
	}
	if _, err := s.ByUID(a.UID); !errors.Is(err, account.ErrUnknown) {
		return a.moved()
	}
	if s.Rules().Equal(a.rules) {
		return nil
	}
	err := a.store.Update(func(e *account.Edit) error {
		if !a.stillConfigured() {
			return errReconfigured
		}
		return e.SetRules(a.rules)
	})
	switch {
	case errors.Is(err, errReconfigured):
		return a.reconfigured()
	case err != nil:
		return a.notStored(err)
	}
	return a.moved()
}

// currentHost refuses a host whose ids may be out of date. sshd takes uid and home when the
// connection begins and never asks again. The store may have changed before the person went on,
// while their id was not yet reserved. An account that has the first id of its name is safe
// whatever changed: no other id was ever answered for it.
func (a *attempt) currentHost() error {
	if !a.KnownToHost || !a.takesIDsFirst() ||
		a.UID == account.ID(a.rules.TenantID, a.name.UPN, 0, a.rules.Low, a.rules.High) {
		return nil
	}
	inode, modified := a.store.Stamp()
	if inode != a.StoreInode || modified != a.StoreModified {
		return a.moved()
	}
	return nil
}
