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

func accountRemove(o *options) *cobra.Command {
	force := false
	cmd := onlyAccount(o, &cobra.Command{
		Use:   "remove",
		Short: "Remove an account",
		Long: `Remove an account: its name and uid are answered no longer, and every sign-in is
refused. Nobody else ever gets the name or the uid. Its files stay. It is
refused while processes run under the uid. The way back is restore.`,
	}, func(s account.Store, e *account.Edit, which string, out io.Writer) error {
		a, err := find(e, which)
		if err != nil {
			return err
		}
		if !a.Removed.IsZero() {
			fmt.Fprintf(out, "%s: has been removed since %s\n", a.Name, when(a.Removed))
			return nil
		}
		if err := idle(a, force, "remove"); err != nil {
			return err
		}
		a.Removed, a.Admin, a.Groups = time.Now(), false, nil
		if err := withdraw(s, e, a); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: removed; its name and uid %d stay taken\n", a.Name, a.UID)
		fmt.Fprintf(out, "  its files stay, in %s and wherever: find / -uid %d\n",
			printable(a.Home), a.UID)
		stillRunning(out, a)
		return nil
	})
	cmd.Flags().BoolVar(&force, "force", false, "also while processes run under its uid")
	return cmd
}

func accountRestore(o *options) *cobra.Command {
	return onlyAccount(o, &cobra.Command{
		Use:   "restore",
		Short: "Bring a removed account back",
		Long: `Bring a removed account back with its uid, home and files. It comes back to
aad_admins and other groups by its next authorization.`,
	}, func(_ account.Store, e *account.Edit, which string, out io.Writer) error {
		a, err := find(e, which)
		if err != nil {
			return err
		}
		if a.Removed.IsZero() {
			fmt.Fprintf(out, "%s: is not removed\n", a.Name)
			return nil
		}
		if err := e.Conflict(a); err != nil {
			return err
		}
		a.Removed, a.Admin, a.Groups = time.Time{}, false, nil
		fmt.Fprintf(out, "%s: restored with uid %d\n", a.Name, a.UID)
		return e.Put(a)
	})
}

// idle refuses a change that would take an account away from its running processes.
func idle(a account.Account, force bool, verb string) error {
	if force {
		return nil
	}
	pids, err := processesOf(a.UID)
	if err != nil {
		return err
	}
	if len(pids) > 0 {
		return busy(a, pids, verb)
	}
	return nil
}
