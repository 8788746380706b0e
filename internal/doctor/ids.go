// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/shell"
)

// ids finds names and ids that two accounts or groups have. Files, groups and rights go by them.
func (h *Host) ids(context.Context) (findings []Finding) {
	store := h.accounts()
	locals, err := store.Locals()
	if err != nil {
		return []Finding{failed(Machine, bare(err)).fix("see why root cannot read it").
			run("ls -l /etc/passwd /etc/group")}
	}
	rules := account.RulesFrom(h.Config)
	var refused *account.RangeError
	if err := store.Fit(rules); errors.As(err, &refused) {
		findings = append(findings, failed(Configuration, bare(refused)).
			fix(refused.Fix()+", and run: "+apply))
	}
	findings = append(findings, conflicts(store, locals)...)
	if others := locals.Between(rules.Low, rules.High); len(others) > 0 && refused == nil {
		found := "accounts.id_range is not for accounts alone, and a first sign-in that comes to " +
			"the id of another is refused: " + strings.Join(others, ", ")
		findings = append(findings, warning(found).fix("put the range where nobody is"))
	}
	var homes []string
	for _, s := range locals.SharedHomes(rules) {
		homes = append(homes, s.String())
	}
	if len(homes) > 0 {
		found := "accounts.home is not for accounts alone, and a first sign-in into the home of " +
			"another is refused: " + strings.Join(homes, ", ")
		findings = append(findings, warning(found).
			fix(`use a template that no local account has, such as "/home/%u" or "/home/%d/%l", and run: `+apply))
	}
	if findings == nil {
		findings = []Finding{ok("every account has a name and an id to itself")}
	}
	return findings
}

// accounts returns the store of this host.
func (h *Host) accounts() account.Store {
	s := account.Store{Dir: h.Config.Accounts.Directory}
	if etc, err := fs.Sub(h.Files, "etc"); err == nil {
		s.Etc = etc
	}
	return s
}

// firstRefused returns the findings that keep this account from a first sign-in.
func (h *Host) firstRefused(acct account.Account) []Finding {
	locals, err := h.accounts().Locals()
	if err != nil {
		return []Finding{failed(Machine, bare(err)).fix("see why root cannot read it").
			run("ls -l /etc/passwd /etc/group")}
	}
	var home *account.HomeError
	switch err := cmp.Or(locals.Conflict(acct), locals.Home(acct)); {
	case errors.As(err, &home):
		return []Finding{failed(Machine, bare(err)).fix(home.Fix())}
	case err != nil:
		return []Finding{failed(Machine, bare(err)).fix(apart(acct))}
	}
	return nil
}

func apart(a account.Account) string {
	return fmt.Sprintf("give one of the two another: usermod -u, groupmod -g, groupmod -n; or, "+
		"for an id, the account: aadctl account set %s --uid UID, or before the first sign-in "+
		"aadctl account import",
		shell.Word(a.Name))
}

// conflicts finds accounts that share a name or an id with a local account or group.
func conflicts(store account.Store, locals *account.Locals) (findings []Finding) {
	snapshot, err := store.Open()
	if err != nil {
		return nil // the check of the store reports it
	}
	defer snapshot.Close()
	findings = leftBehind(snapshot, locals)
	for a := range snapshot.All() {
		if !a.Removed.IsZero() {
			continue
		}
		if err := locals.Conflict(a); err != nil {
			findings = append(findings, failed(Machine, bare(err)).
				fix(apart(a)))
		}
	}
	return findings
}

// bare returns the text of an error without the name of package account.
func bare(err error) string { return strings.TrimPrefix(err.Error(), "account: ") }
