// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

func storeCommand(o *options) *cobra.Command {
	return group(&cobra.Command{
		Use:   "store",
		Short: "Verify, dump, restore and prepare the store of accounts",
	}, storeVerify(o), storeDump(o), storeRestore(o), storeGeneralize(o), storeRelabel(o))
}

func storeVerify(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Read the store and its backups through",
		Long: `Read the store and its backups through, and say what is in each. The exit
status is that of the store alone, which stands first.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.verify(cmd.OutOrStdout()) },
	}
}

func (o *options) verify(out io.Writer) error {
	store, err := o.anyStore()
	if err != nil {
		return err
	}
	count := func(name, file string) error {
		return o.reading(file, func(s *account.Snapshot) error {
			fmt.Fprintf(out, "%s: ok, %s\n", printable(name), census(s))
			return nil
		})
	}
	failed := count(store.Path(), "")
	backups, err := store.Backups()
	for _, backup := range backups {
		if err := count(backup, backup); err != nil {
			fmt.Fprintln(out, printable(explain(err).what))
		}
	}
	return errors.Join(failed, err)
}

// census returns the number of accounts by state.
func census(s *account.Snapshot) string {
	number := map[string]int{}
	all := 0
	for a := range s.All() {
		number[state(a)]++
		all++
	}
	all -= number["removed"] + number["moved"]
	return fmt.Sprintf("accounts: %d, admin: %d, locked: %d, removed: %d", all, number["admin"],
		number["locked"], number["removed"])
}

func storeDump(o *options) *cobra.Command {
	file := ""
	cmd := &cobra.Command{
		Use:   "dump",
		Short: "Print everything in the store as JSON, one object per line",
		Long: `Print everything in the store as JSON, one object per line: first the rules that
the name service goes by, then every account, also removed ones and abandoned
ids. There are no secrets in the store, but names.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.reading(file, func(s *account.Snapshot) error {
				return dump(cmd.OutOrStdout(), s)
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "",
		"read this `FILE`, such as a backup, and not the store")
	return cmd
}

func dump(out io.Writer, s *account.Snapshot) error {
	w := bufio.NewWriter(out)
	jsonLine(w, rulesOf(s.Rules()))
	for a := range s.All() {
		jsonLine(w, recordOf(a))
	}
	return w.Flush()
}

// A rulesRecord has the keys of config.toml.
type rulesRecord struct {
	Format          int       `json:"format"`
	TenantID        string    `json:"tenant_id"`
	Domains         []string  `json:"domains"`
	ShortNames      bool      `json:"short_names"`
	SignInServices  []string  `json:"sign_in.services"` // null in a store of a version without this list
	IDRange         [2]uint32 `json:"accounts.id_range"`
	Home            string    `json:"accounts.home"`
	Shell           string    `json:"accounts.shell"`
	PreAuthServices []string  `json:"accounts.pre_auth_services"`
}

func rulesOf(r account.Rules) rulesRecord {
	return rulesRecord{
		account.Format, r.TenantID, r.Domains, r.ShortNames, r.SignInServices,
		[2]uint32{r.Low, r.High}, r.Home, r.Shell, r.PreAuthServices,
	}
}

func storeRestore(o *options) *cobra.Command {
	force := false
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Put a backup in the place of the store",
		Long: `Put a backup in the place of the store, which becomes a backup itself, damaged
or not. FILE is verified first. It is refused if it lacks accounts that are
there now, for their ids would be given to others, or that they have been
locked or removed. Nobody comes back to aad_admins or other groups but by the
next authorization. aadctl store verify lists the backups.`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := o.anyStore()
			if err != nil {
				return err
			}
			err = store.Restore(args[0], func(undone []account.Account) error {
				if force {
					return nil
				}
				return wouldUndo(args[0], undone)
			})
			if err != nil {
				return inStore(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: restored from %s\n",
				store.Path(), printable(args[0]))
			return inStore(restored(cmd.OutOrStdout(), store))
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "also if it undoes what was done since")
	return cmd
}

// restored warns of names and ids that local accounts or groups have taken since. That is no reason
// to be without a store.
func restored(out io.Writer, store account.Store) error {
	snapshot, err := store.Open()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	locals, err := store.Locals()
	if err != nil {
		return err
	}
	var begins *account.RangeError
	if err := snapshot.Fit(snapshot.Rules(), locals); errors.As(err, &begins) {
		fmt.Fprintf(out, "  %s; %s\n", printable(plain(begins)), begins.Fix())
	}
	for a := range snapshot.All() {
		if !a.Removed.IsZero() {
			continue
		}
		if err := locals.Conflict(a); err != nil {
			fmt.Fprintf(out, "  %s\n", printable(plain(err)))
		}
	}
	return nil
}
