// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/shell"
)

const apply = "aadctl config apply"

// store reads the whole store, as the name service would, and compares its rules with the
// configuration.
func (h *Host) store(context.Context) []Finding {
	findings := append(h.permissions(), h.room()...)
	snapshot, err := account.Store{Dir: h.Config.Accounts.Directory}.Open()
	var damaged *account.DamagedError
	switch {
	case errors.Is(err, account.ErrMissing):
		return append(findings, h.noStore())
	case errors.As(err, &damaged):
		return append(findings, damage(damaged))
	case err != nil:
		return append(findings, failed(Store, bare(err)).run("aadctl store verify"))
	}
	defer snapshot.Close()
	switch err := snapshot.Check(); {
	case errors.As(err, &damaged):
		return append(findings, damage(damaged))
	case err != nil:
		return append(findings, failed(Store, bare(err)).run("aadctl store verify"))
	case !snapshot.Rules().Equal(account.RulesFrom(h.Config)):
		return append(findings, failed(Store, "the name service goes by an older configuration").
			run(apply))
	case h.Config.Accounts.Directory != account.DefaultDir:
		findings = append(findings,
			failedf(Configuration, "accounts.directory is %s, but the name service reads %s",
				h.Config.Accounts.Directory, account.DefaultDir).
				fix("accounts of the other directory are known to nobody; the command takes "+
					"the key out").
				run(`sed -Ei '/^[[:blank:]]*(accounts\.)?directory[[:blank:]]*=/d' `+
					shell.Word(h.configPath())+" && "+apply))
	}
	if findings == nil {
		findings = []Finding{ok("the store is sound and goes by this configuration")}
	}
	return findings
}

// noStore returns the finding for a missing store. That is normal before the first sign-in. If
// homes of accounts exist, there was a store.
func (h *Host) noStore() Finding {
	locals, err := h.accounts().Locals()
	if err != nil {
		return failed(Store, "there is no store, so the name service knows nobody").run(apply)
	}
	homes := locals.Homes(account.RulesFrom(h.Config)).Accounts
	if len(homes) == 0 {
		return failed(Store, "there is no store yet, so the name service knows nobody").run(apply)
	}
	return failedf(Store,
		"there is no store, and there was one, for %s has a home (%s): the name service "+
			"knows nobody", homes[0].Name, homes[0].Home).
		fix(fmt.Sprintf("if %s is on a disk of its own, mount that; if it is lost, put a backup "+
			"back (aadctl store restore FILE): locks, and ids set by hand, are nowhere else; "+
			"without one, begin anew", h.Config.Accounts.Directory)).run(apply)
}

// leftBehind finds homes from the time before a store was lost, if their accounts would get other
// ids today.
func leftBehind(snapshot *account.Snapshot, locals *account.Locals) []Finding {
	left, err := snapshot.Left(locals)
	if err != nil || len(left) == 0 {
		return nil // the check of the store says more about an error
	}
	return []Finding{warning(fmt.Sprintf("%s is not in the store, and had id %d by its home %s, "+
		"which is not its first: the store of then is lost",
		left[0].Name, left[0].UID, left[0].Home)).
		fix("put a backup of it back, aadctl store restore FILE; or give them their ids again").
		run(account.ImportCommand(left))}
}

// damage returns the finding for a damaged store, with the command that restores it.
func damage(d *account.DamagedError) Finding {
	words, command, found := strings.Cut(d.Fix(), "run: ")
	if !found {
		command = "aadctl store verify"
	}
	return failed(Store, d.File+": "+d.Problem).fix(strings.TrimRight(words, " ,")).run(command)
}
