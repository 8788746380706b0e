// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"

	"aadlogin/internal/account"
)

const apply = "aadctl config apply"

// store reads all of it, as the name service would, and compares what it was told with what the configuration says.
func (p *Patient) store(context.Context) []Result {
	results := p.permissions()
	snapshot, err := account.Store{Dir: p.Config.Accounts.Directory}.Open()
	var damaged *account.DamagedError
	switch {
	case errors.Is(err, account.ErrMissing):
		return append(results, failed(Store, "there is no store yet, so the name service knows nobody").run(apply))
	case errors.As(err, &damaged):
		return append(results, failed(Store, damaged.File+": "+damaged.Problem).fix(damaged.Fix()))
	case err != nil:
		return append(results, failed(Store, err.Error()))
	}
	defer snapshot.Close()
	switch err := snapshot.Check(); {
	case errors.As(err, &damaged):
		return append(results, failed(Store, damaged.File+": "+damaged.Problem).fix(damaged.Fix()))
	case err != nil:
		return append(results, failed(Store, err.Error()))
	case !snapshot.Rules().Equal(account.RulesFrom(p.Config)):
		return append(results, failed(Store, "the name service goes by an older configuration").run(apply))
	case p.Config.Accounts.Directory != account.DefaultDir:
		results = append(results, failedf(Configuration, "accounts.directory is %s, but the name service reads %s",
			p.Config.Accounts.Directory, account.DefaultDir).fix("take accounts.directory out of the configuration"))
	}
	if results == nil {
		results = []Result{ok("the store is sound and goes by this configuration")}
	}
	return results
}
