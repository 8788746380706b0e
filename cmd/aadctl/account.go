// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strconv"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

func accountCommand(o *options) *cobra.Command {
	return group(&cobra.Command{
		Use:   "account",
		Short: "List and import accounts",
	}, accountList(o), accountImport(o))
}

func accountList(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the accounts of this machine",
		Long: `List the accounts of this machine in the order they came to be. OBJECT ID is
the Entra object an account belongs to, - until its first sign-in. Removed
accounts are not listed.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, store, err := o.load()
			if err != nil {
				return err
			}
			return inStore(list(cmd.OutOrStdout(), store))
		},
	}
}

// list reads the accounts twice, once for the width of the columns, so that
// their number does not matter.
func list(out io.Writer, store account.Store) error {
	snapshot, err := store.Open()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	if err := snapshot.Check(); err != nil {
		return err
	}
	t := newTable(out, "NAME", "UID", "ADMIN", "OBJECT ID", "CREATED", "HOME")
	for _, pass := range []func(...string){t.measure, t.print} {
		pass(t.head...)
		for a := range snapshot.All() {
			if a.Removed.IsZero() {
				pass(row(a)...)
			}
		}
	}
	t.flush()
	return nil
}

func row(a account.Account) []string {
	admin := "no"
	if a.Admin {
		admin = "yes"
	}
	return []string{
		a.Name, strconv.FormatUint(uint64(a.UID), 10), admin, cmp.Or(a.ObjectID, "-"),
		a.Created.UTC().Format("2006-01-02"), a.Home,
	}
}

func accountImport(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE",
		Short: "Import accounts from passwd(5) lines, all or none",
		Long: `Import accounts from passwd(5) lines, such as the /etc/aadpasswd of the former
Azure extension; - reads standard input. Names must be of a configured domain.
Ids, homes and shells are kept. An account that is there already with the same
name and id is left as it is; any conflict refuses the whole file.`,
		Args: exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			return o.importFrom(cmd.OutOrStdout(), args[0], in)
		},
	}
}

func (o *options) importFrom(out io.Writer, name string, in io.Reader) error {
	c, store, err := o.load()
	if err != nil {
		return err
	}
	rules := account.RulesFrom(c)
	accounts, err := account.ParsePasswd(in, rules)
	if err != nil {
		return refused(name, err)
	}
	present := 0
	err = store.Update(func(e *account.Edit) (err error) {
		if e.Rules().TenantID == "" { // the first thing ever stored here
			if err := e.SetRules(rules); err != nil {
				return err
			}
		}
		present, err = importInto(e, accounts)
		if damaged := (*account.DamagedError)(nil); err == nil || errors.As(err, &damaged) {
			return err
		}
		return refused(name, err)
	})
	if err != nil {
		return inStore(err)
	}
	fmt.Fprintf(out, "%s: accounts imported: %d; there already: %d\n", printable(name), len(accounts)-present, present)
	return nil
}

// importInto also counts the accounts that are there already.
func importInto(e *account.Edit, accounts []account.Account) (present int, err error) {
	for _, a := range accounts {
		switch old, err := e.ByUID(a.UID); {
		case err == nil && old.Name == a.Name:
			present++
		case errors.Is(err, account.ErrUnknown):
			if err := localConflict(a); err != nil {
				return 0, err
			}
		}
	}
	return present, e.Import(accounts)
}

// localConflict refuses a name or id that another account of this machine has,
// from /etc/passwd or wherever else. Two names for one id own each other's
// files, and a local name always wins over ours.
func localConflict(a account.Account) error {
	id := strconv.FormatUint(uint64(a.UID), 10)
	if u, err := user.LookupId(id); err == nil && u.Username != a.Name {
		return fmt.Errorf("%s: id %s is that of the local account %s", a.Name, id, u.Username)
	}
	if u, err := user.Lookup(a.Name); err == nil && u.Uid != id {
		return fmt.Errorf("%s: a local account of this name has id %s", a.Name, u.Uid)
	}
	return nil
}
