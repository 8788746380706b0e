// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"strings"

	"aadlogin/internal/account"
)

const apply = "aadctl config apply"

// store reads all of it, as the name service would, and compares what it was told with what the configuration says.
func (h *Host) store(context.Context) []Result {
	results := h.permissions()
	snapshot, err := account.Store{Dir: h.Config.Accounts.Directory}.Open()
	var damaged *account.DamagedError
	switch {
	case errors.Is(err, account.ErrMissing):
		return append(results, failed(Store, "there is no store yet, so the name service knows nobody").run(apply))
	case errors.As(err, &damaged):
		return append(results, damage(damaged))
	case err != nil:
		return append(results, failed(Store, bare(err)).run("aadctl store verify"))
	}
	defer snapshot.Close()
	switch err := snapshot.Check(); {
	case errors.As(err, &damaged):
		return append(results, damage(damaged))
	case err != nil:
		return append(results, failed(Store, bare(err)).run("aadctl store verify"))
	case !snapshot.Rules().Equal(account.RulesFrom(h.Config)):
		return append(results, failed(Store, "the name service goes by an older configuration").run(apply))
	case h.Config.Accounts.Directory != account.DefaultDir:
		results = append(results, failedf(Configuration, "accounts.directory is %s, but the name service reads %s",
			h.Config.Accounts.Directory, account.DefaultDir).
			fix("accounts of the other directory are known to nobody; the command takes the key out").
			run(`sed -Ei '/^[[:blank:]]*(accounts\.)?directory[[:blank:]]*=/d' `+shellWord(h.configPath())+" && "+apply))
	}
	if results == nil {
		results = []Result{ok("the store is sound and goes by this configuration")}
	}
	return results
}

// damage comes with the command that brings back what was.
func damage(d *account.DamagedError) Result {
	words, command, found := strings.Cut(d.Fix(), "run: ")
	if !found {
		command = "aadctl store verify"
	}
	return failed(Store, d.File+": "+d.Problem).fix(strings.TrimRight(words, " ,")).run(command)
}
