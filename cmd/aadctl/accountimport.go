// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

// An importing holds the flags of account import.
type importing struct{ preview, apply, dryRun bool }

func accountImport(o *options) *cobra.Command {
	var how importing
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Import accounts from passwd(5) lines, all or none",
		Long: `Import accounts from passwd(5) lines; - reads standard input. Names must be of a
configured domain. Ids, homes and shells are kept. An account that is there
already with the same name and id is left as it is; any conflict refuses the
whole file.

--preview reads /etc/aadpasswd of the former Azure extension, whose names may be
in any case, and imports nothing without --apply.`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if how.apply && how.dryRun {
				return usage(below(cmd) + "--apply excludes --dry-run")
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			return o.importFrom(cmd.OutOrStdout(), args[0], in, how)
		},
	}
	cmd.Flags().BoolVar(&how.preview, "preview", false,
		"FILE is the former extension's; import nothing yet")
	cmd.Flags().BoolVar(&how.apply, "apply", false, "import, not only look")
	cmd.Flags().BoolVar(&how.dryRun, "dry-run", false, "only look for conflicts")
	return cmd
}

// errDryRun keeps an edit from being stored.
var errDryRun = errors.New("aadctl: dry run")

func (o *options) importFrom(out io.Writer, name string, in io.Reader, how importing) error {
	c, store, err := o.load()
	if err != nil {
		return err
	}
	rules, parse := account.RulesFrom(c), account.ParsePasswd
	if how.preview {
		parse = account.ParsePreview
	}
	accounts, err := parse(in, rules)
	if err != nil {
		return refused(name, err)
	}
	if service, ok := store.Besides.(nameService); ok {
		store.Besides = service.about(accounts)
	}
	dry := how.dryRun || how.preview && !how.apply
	present := 0
	err = store.Update(func(e *account.Edit) (err error) {
		if e.Rules().TenantID == "" { // nothing was ever stored here
			if err := e.SetRules(rules); err != nil {
				return err
			}
		}
		present, err = importInto(e, accounts)
		if damaged := (*account.DamagedError)(nil); errors.As(err, &damaged) {
			return err
		}
		if err != nil {
			return refused(name, err)
		}
		if dry {
			return errDryRun
		}
		return nil
	})
	if err != nil && err != errDryRun {
		return inStore(err)
	}
	verb := "imported"
	if dry {
		verb = "that can be imported"
	}
	fmt.Fprintf(out, "%s: accounts %s: %d; there already: %d\n", printable(name), verb,
		len(accounts)-present, present)
	if dry {
		fmt.Fprintln(out, "  nothing was imported; --apply does it")
	}
	return nil
}

// importInto puts the accounts into the store and counts those that exist already. Its error joins
// all conflicts.
func importInto(e *account.Edit, accounts []account.Account) (present int, err error) {
	var conflicts []error
	for _, a := range accounts {
		if old, err := e.ByUID(a.UID); err == nil && old.Name == a.Name {
			present++
		}
		if err := e.Import([]account.Account{a}); err != nil {
			conflicts = append(conflicts, err)
		}
	}
	return present, errors.Join(conflicts...)
}
