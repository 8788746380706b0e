// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

func accountCommand(o *options) *cobra.Command {
	return group(&cobra.Command{
		Use:   "account",
		Short: "Look after the accounts",
	}, accountList(o), accountShow(o), accountImport(o),
		accountRename(o), accountRebind(o), accountSet(o),
		accountLock(o), accountUnlock(o), accountRemove(o), accountRestore(o))
}

// A lookup is a snapshot or an edit.
type lookup interface {
	ByName(string) (account.Account, error)
	ByUID(uint32) (account.Account, error)
	Holder(string) (account.Account, error)
}

// find takes a name or an id. No name consists of digits alone. A removed account has its date in
// Removed.
func find(in lookup, which string) (account.Account, error) {
	a, err := in.ByName(which)
	if uid, number := strconv.ParseUint(which, 10, 32); number == nil {
		a, err = in.ByUID(uint32(uid))
	}
	switch {
	case errors.Is(err, account.ErrUnknown):
		return a, unknownAccount(in, which)
	case err != nil && !errors.Is(err, account.ErrRemoved):
		return a, err
	case a.MovedTo != 0:
		return a, movedAccount(a)
	}
	return a, nil
}

// present is find, but a removed account is an error.
func present(in lookup, which string) (account.Account, error) {
	a, err := find(in, which)
	if err == nil && !a.Removed.IsZero() {
		return a, removedAccount(a)
	}
	return a, err
}

// change edits the store under its lock. The output of change is shown once the store is on disk.
// If it fails, none is shown.
func (o *options) change(cmd *cobra.Command, change func(s account.Store, e *account.Edit,
	out io.Writer) error) error {
	store, err := o.anyStore()
	if err != nil {
		return err
	}
	out := new(bytes.Buffer)
	err = store.Update(func(e *account.Edit) error {
		if e.Rules().TenantID == "" {
			return account.ErrMissing
		}
		err := change(store, e, out)
		if damaged := (*account.DamagedError)(nil); errors.As(err, &damaged) {
			return err
		}
		return unchanged(err)
	})
	if err != nil {
		return inStore(err)
	}
	_, err = out.WriteTo(cmd.OutOrStdout())
	return err
}

// An accountChange is made under the store's lock.
type accountChange func(s account.Store, e *account.Edit, which string, out io.Writer) error

// onlyAccount completes a command whose only argument is the account.
func onlyAccount(o *options, c *cobra.Command, change accountChange) *cobra.Command {
	c.Use += " ACCOUNT"
	c.Args = exactly("ACCOUNT")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return o.change(cmd, func(s account.Store, e *account.Edit, out io.Writer) error {
			return change(s, e, args[0], out)
		})
	}
	return c
}
