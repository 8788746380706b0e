// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/guid"
	"aadlogin/internal/signin"
)

// A rebinding names the person who is to get an account.
type rebinding struct {
	object string
	yes    bool
	in     io.Reader
}

func accountRebind(o *options) *cobra.Command {
	var to rebinding
	cmd := &cobra.Command{
		Use:   "rebind ACCOUNT",
		Short: "Give an account to another object of Entra ID",
		Long: `Give an account, with uid, home and files, to another object of Entra ID: for
somebody who was deleted there and created again. Whoever signs in as that
object has the account from then on, and the former object has it no longer. It
comes back to aad_admins and other groups by its next authorization.

It asks before it does so; where nobody can answer, --yes does. The system log
has who gave what to whom.`,
		Args: exactly("ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to.object = strings.ToLower(to.object)
			if !guid.Is(to.object) {
				return usage(below(cmd) + "--object-id must be the object id of a user, a GUID")
			}
			c, store, err := o.load()
			if err != nil {
				return err
			}
			to.in = cmd.InOrStdin()
			if err := to.ask(cmd.OutOrStdout(), store, args[0]); err != nil {
				return err
			}
			var before account.Account
			err = o.change(cmd, func(s account.Store, e *account.Edit, out io.Writer) (err error) {
				before, err = to.rebind(s, e, args[0], c.TenantID, out)
				return err
			})
			if err == nil && before.UID != 0 {
				note("rebound", "account", before.Name, "uid", fmt.Sprint(before.UID), "former_oid",
					before.ObjectID, "oid", to.object, "caller_uid", caller())
			}
			return err
		},
	}
	cmd.Flags().StringVar(&to.object, "object-id", "", "object `ID` of the user in Entra ID")
	cmd.Flags().BoolVar(&to.yes, "yes", false, "do not ask")
	return cmd
}

// ask says what will happen and waits for an answer. The store is not locked meanwhile.
func (to rebinding) ask(out io.Writer, store account.Store, which string) error {
	if to.yes {
		return nil
	}
	snapshot, err := store.Open()
	if err != nil {
		return inStore(err)
	}
	defer snapshot.Close()
	a, err := present(snapshot, which)
	if err != nil {
		return err
	}
	if !isTerminal(to.in) {
		return no(fmt.Sprintf("%s: nobody is here to answer whether object %s may have it", a.Name,
			to.object), "nothing was changed; --yes does it unasked")
	}
	fmt.Fprintf(out, "%s, uid %d, with %s and all its files, is that of object %s.\n", a.Name,
		a.UID, printable(a.Home), cmp.Or(a.ObjectID, "nobody yet"))
	fmt.Fprintf(out, "Whoever signs in as object %s gets it. Is that the same person? [y/N] ",
		to.object)
	answer, _ := bufio.NewReader(to.in).ReadString('\n')
	if strings.ToLower(strings.TrimSpace(answer)) != "y" {
		return no(a.Name+": not given to anybody", "nothing was changed")
	}
	return nil
}

// rebind returns the account as it was, if it belonged to another object.
func (to rebinding) rebind(s account.Store, e *account.Edit, which, tenant string,
	out io.Writer) (before account.Account, err error) {
	a, err := present(e, which)
	if err != nil {
		return before, err
	}
	if a.TenantID == tenant && a.ObjectID == to.object {
		fmt.Fprintf(out, "%s: is that of object %s already\n", a.Name, to.object)
		return before, nil
	}
	switch other, err := e.ByObject(tenant, to.object); {
	case err == nil || errors.Is(err, account.ErrRemoved):
		return before, no(
			fmt.Sprintf("%s: object %s has the account %s", a.Name, to.object, other.Name),
			"nothing was changed; nobody has two accounts")
	case !errors.Is(err, account.ErrUnknown):
		return before, err
	}
	if err := e.Rebind(a, tenant, to.object); err != nil {
		return before, err
	}
	if err := s.Withdraw(a.UID); err != nil {
		return before, err
	}
	fmt.Fprintf(out, "%s: given to object %s, was %s; uid %d and %s stay\n", a.Name, to.object,
		cmp.Or(a.ObjectID, "nobody's"), a.UID, printable(a.Home))
	return a, nil
}

// note writes a line to the system log, if there is one, in the form of pam_aad's lines.
func note(verb string, pairs ...string) {
	log, err := syslog.New(syslog.LOG_AUTHPRIV|syslog.LOG_NOTICE, "aadctl")
	if err != nil {
		return
	}
	defer log.Close()
	_ = log.Notice(signin.LogLine(verb, pairs...))
}

// caller returns the uid of the person who logged in and became root, or root's.
func caller() string {
	text, err := os.ReadFile("/proc/self/loginuid")
	if uid := strings.TrimSpace(string(text)); err == nil && uid != "4294967295" {
		return uid
	}
	return fmt.Sprint(os.Getuid())
}
