// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"errors"
	"fmt"

	"aadlogin/internal/account"
	"aadlogin/internal/token"
)

// renamedPerson is sameAccount for a token with another name than was typed. Either the account is
// somebody else's, or the person has a new name in the directory and typed the one that their
// account still has here. Then the object id is the account's, and admit renames it once they are
// authorized.
func (a *attempt) renamedPerson(c *token.Claims) (account.Identity, error) {
	if !a.boundTo(c) || !c.NameIsVerified() {
		return account.Identity{}, a.otherAccount(c)
	}
	a.event.object = c.ObjectID
	now, err := a.rules.FromUPN(c.PreferredUsername)
	if err != nil {
		return account.Identity{}, a.notRenamed(clean(c.PreferredUsername, 120), err)
	}
	return account.Identity{
		TenantID: c.TenantID, ObjectID: c.ObjectID, Name: now.Account, UPN: now.UPN,
	}, nil
}

// boundTo reports whether the name typed is the present name of the account of the person who
// signed in.
func (a *attempt) boundTo(c *token.Claims) bool {
	snapshot, err := a.store.Open()
	if err != nil {
		return false
	}
	defer snapshot.Close()
	bound, err := snapshot.ByObject(c.TenantID, c.ObjectID)
	return err == nil && bound.Name == a.name.Account
}

func (a *attempt) renamed(to account.Account) error {
	person := fmt.Sprintf("Your account has been renamed to %s on this machine; its files stay "+
		"yours. Connect again with that name.", to.Name)
	if to.Name != a.name.Account {
		person = fmt.Sprintf("Your account is now named %s. Connect again with that name.", to.Name)
	}
	return a.refuse(Denied, person, "renamed", "new_name", to.Name)
}

// notRenamed says why an account cannot have the name that its person has in the directory. The
// account keeps the name that it has.
func (a *attempt) notRenamed(to string, err error) error {
	var conflict *account.ConflictError
	var why string
	switch {
	case errors.Is(err, account.ErrForeign):
		why = "this machine does not accept that name"
	case errors.Is(err, account.ErrOtherObject):
		why = "that name is or was another account's on this machine"
	case errors.As(err, &conflict):
		why = "a local account or group of this machine has that name"
	default:
		return a.notStored(err)
	}
	return a.refuse(Denied,
		fmt.Sprintf("Your account is named %s in Entra ID by now, but %s. Ask its administrator.",
			to, why),
		"not-renamed", "new_name", to, "problem", plain(err))
}
