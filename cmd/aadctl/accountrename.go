// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

func accountRename(o *options) *cobra.Command {
	swap := false
	cmd := &cobra.Command{
		Use:   "rename ACCOUNT NAME",
		Short: "Give an account another name",
		Long: `Give an account another name, as the next sign-in of somebody renamed in Entra ID
does: uid, home and files stay, and nobody else gets the former name. --swap
exchanges the names of two accounts, for two people who have done so in
Entra ID.`,
		Args: exactly("ACCOUNT", "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := o.load()
			if err != nil {
				return err
			}
			to, err := account.RulesFrom(c).Name(args[1])
			if err != nil {
				return badName(args[1], c.Domains, err)
			}
			return o.change(cmd, func(_ account.Store, e *account.Edit, out io.Writer) error {
				if swap {
					return swapNames(e, args[0], args[1], out)
				}
				return rename(e, args[0], to, out)
			})
		},
	}
	cmd.Flags().BoolVar(&swap, "swap", false, "NAME is another account's, which gets this one's")
	return cmd
}

func rename(e *account.Edit, which string, to account.Name, out io.Writer) error {
	a, err := present(e, which)
	if err != nil {
		return err
	}
	if a.Name == to.Account {
		fmt.Fprintf(out, "%s: has that name already\n", a.Name)
		return nil
	}
	renamed, err := e.Rename(a, to)
	if errors.Is(err, account.ErrOtherObject) {
		return takenName(e, to.Account)
	}
	if err == nil {
		fmt.Fprintf(out, "%s: renamed to %s; uid %d and %s stay\n", a.Name,
			renamed.Name, a.UID, printable(a.Home))
		namedElsewhere(out, a.Name)
	}
	return err
}

func swapNames(e *account.Edit, which, other string, out io.Writer) error {
	a, err := present(e, which)
	if err != nil {
		return err
	}
	b, err := present(e, other)
	if err != nil {
		return err
	}
	if err := e.Swap(a, b); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: renamed to %s; uid %d and %s stay\n", a.Name,
		b.Name, a.UID, printable(a.Home))
	fmt.Fprintf(out, "%s: renamed to %s; uid %d and %s stay\n", b.Name,
		a.Name, b.UID, printable(b.Home))
	namedElsewhere(out, a.Name, b.Name)
	return nil
}

// namedElsewhere warns of files that give the holder of a name its rights.
func namedElsewhere(out io.Writer, names ...string) {
	fmt.Fprintf(out,
		"  what goes by the name stays as it is (sudoers, sshd_config, crontab, /etc/subuid): "+
			"look for %s\n",
		strings.Join(names, " and "))
}
