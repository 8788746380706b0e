// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

func accountLock(o *options) *cobra.Command {
	return onlyAccount(o, &cobra.Command{
		Use:   "lock",
		Short: "Refuse every further sign-in of an account",
		Long: `Refuse every further sign-in of an account, with a browser or without, sudo
included, and take it out of aad_admins. Its files keep their owner, and its
name is answered as before. Sessions that are open stay open.`,
	}, func(s account.Store, e *account.Edit, which string, out io.Writer) error {
		a, err := present(e, which)
		if err != nil {
			return err
		}
		if !a.Locked.IsZero() {
			fmt.Fprintf(out, "%s: has been locked since %s\n", a.Name, when(a.Locked))
			return nil
		}
		a.Locked, a.Admin, a.Groups = time.Now(), false, nil
		if err := withdraw(s, e, a); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: locked\n", a.Name)
		stillRunning(out, a)
		return nil
	})
}

func accountUnlock(o *options) *cobra.Command {
	return onlyAccount(o, &cobra.Command{
		Use:   "unlock",
		Short: "Let an account sign in again",
		Long: `Let an account sign in again. It comes back to aad_admins by its next
authorization.`,
	}, func(_ account.Store, e *account.Edit, which string, out io.Writer) error {
		a, err := present(e, which)
		if err != nil {
			return err
		}
		if a.Locked.IsZero() {
			fmt.Fprintf(out, "%s: is not locked\n", a.Name)
			return nil
		}
		a.Locked, a.Admin, a.Groups = time.Time{}, false, nil
		fmt.Fprintf(out, "%s: unlocked\n", a.Name)
		return e.Put(a)
	})
}

// withdraw stores an account that has lost something. It also forgets what the last authorization
// would permit next time.
func withdraw(s account.Store, e *account.Edit, a account.Account) error {
	if err := e.Put(a); err != nil {
		return err
	}
	return s.Withdraw(a.UID)
}

// stillRunning warns of sessions that a change does not end.
func stillRunning(out io.Writer, a account.Account) {
	if pids, err := processesOf(a.UID); err == nil && len(pids) > 0 {
		fmt.Fprintf(out, "  its processes go on: %s; to end them: pkill -KILL -u %d\n", some(pids),
			a.UID)
	}
}
