// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"strings"

	"aadlogin/internal/account"
)

// rulesInForce takes the rules of the store for those of a configuration that would make a group of somebody's id, the
// administrators' at worst: nothing applies such a configuration, and the name service goes by the store as well.
func (a *attempt) rulesInForce() {
	snapshot, err := a.store.Open()
	if err != nil {
		return // who needs the store says so
	}
	defer snapshot.Close()
	var refused *account.RangeError
	if err := snapshot.Fit(a.rules); !errors.As(err, &refused) {
		return
	}
	a.log(LogError, "rules-not-applied", "problem", plain(refused), "fix", refused.Fix()+", and run: aadctl config apply")
	if snapshot.Rules().Low != a.rules.Low {
		a.rules = snapshot.Rules()
	}
}

// free refuses an account nobody has signed in to yet whose id or name another account or group of this machine has.
func (a *attempt) free(acct account.Account) error {
	locals, err := a.store.Locals()
	if err == nil {
		err = locals.Conflict(acct)
	}
	if err != nil {
		return a.notStored(err)
	}
	return nil
}

// plain is an error of package account without the package's name.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "account: ") }
