// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"aadlogin/internal/account"
)

// ids looks for names and ids that two have: files, groups and rights go by them.
func (p *Patient) ids(context.Context) (results []Result) {
	etc, err := fs.Sub(p.Files, "etc")
	if err != nil {
		return []Result{failed(Machine, err.Error())}
	}
	store := account.Store{Dir: p.Config.Accounts.Directory, Etc: etc}
	locals, err := store.Locals()
	if err != nil {
		return []Result{failed(Machine, bare(err)).fix("see why root cannot read it")}
	}
	rules := account.RulesFrom(p.Config)
	var refused *account.RangeError
	if err := store.Fit(rules); errors.As(err, &refused) {
		results = append(results, failed(Configuration, bare(refused)).fix(refused.Fix()+", and run: "+apply))
	}
	results = append(results, conflicts(store, locals)...)
	if others := locals.Between(rules.Low, rules.High); len(others) > 0 && refused == nil {
		found := "accounts.id_range is not for accounts alone, and a first sign-in that comes to the id of another is refused: " + strings.Join(others, ", ")
		results = append(results, warning(found).fix("put the range where nobody is"))
	}
	if results == nil {
		results = []Result{ok("every account has a name and an id to itself")}
	}
	return results
}

// conflicts are the accounts that share a name or an id with somebody local.
func conflicts(store account.Store, locals *account.Locals) (results []Result) {
	snapshot, err := store.Open()
	if err != nil {
		return nil // the check of the store says so
	}
	defer snapshot.Close()
	for a := range snapshot.All() {
		if !a.Removed.IsZero() {
			continue
		}
		if err := locals.Conflict(a); err != nil {
			results = append(results, failed(Machine, bare(err)).
				fix(fmt.Sprintf("give one of the two another: aadctl account set %s --uid UID, usermod -u, groupmod -g or groupmod -n", a.Name)))
		}
	}
	return results
}

// bare is an error of package account without the package's name.
func bare(err error) string { return strings.TrimPrefix(err.Error(), "account: ") }
