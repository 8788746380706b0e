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

// settings are the new values. Empty strings and 0 change nothing.
type settings struct {
	uid         uint32
	home, shell string
}

func accountSet(o *options) *cobra.Command {
	var to settings
	cmd := &cobra.Command{
		Use:   "set ACCOUNT",
		Short: "Change uid, home or shell of an account",
		Long: `Change uid, home or shell of an account. Files are not touched: the command that
does so is printed. A uid must be one that nobody else has or had, is refused while
processes run under the old one, and leaves that taken.`,
		Args: exactly("ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := to.given(cmd); err != nil {
				return err
			}
			if to == (settings{}) {
				return usage(below(cmd) + "one of --uid, --home and --shell is missing")
			}
			return o.change(cmd, func(s account.Store, e *account.Edit, out io.Writer) error {
				return to.set(s, e, args[0], out)
			})
		},
	}
	cmd.Flags().Uint32Var(&to.uid, "uid", 0, "`UID`, and id of the private group")
	cmd.Flags().StringVar(&to.home, "home", "", "home directory, a `PATH`")
	cmd.Flags().StringVar(&to.shell, "shell", "", "login shell, the `PATH` of a program")
	return cmd
}

// given refuses a value that would change nothing. A variable that is not set leaves an empty one.
func (to settings) given(cmd *cobra.Command) error {
	for _, s := range []struct {
		flag  string
		empty bool
	}{{"uid", to.uid == 0}, {"home", to.home == ""}, {"shell", to.shell == ""}} {
		if flag := cmd.Flags().Lookup(s.flag); s.empty && flag.Changed {
			return usageOf(cmd, fmt.Sprintf("--%s cannot be %q", flag.Name, flag.Value.String()))
		}
	}
	return nil
}

func (to settings) set(s account.Store, e *account.Edit, which string, out io.Writer) error {
	a, err := present(e, which)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: changed\n", a.Name)
	if to.shell != "" {
		if err := executable(to.shell); err != nil {
			return err
		}
		a.Shell = to.shell
	}
	if to.home != "" && to.home != a.Home {
		fmt.Fprintf(out, "  its files stay in %s\n", printable(a.Home))
		a.Home = to.home
		var other *account.HomeError
		if err := e.Home(a); errors.As(err, &other) {
			fmt.Fprintf(out, "  %s belongs to %s\n", printable(a.Home), other.Owner)
		} else if err != nil {
			return err
		}
	}
	if err := e.Put(a); err != nil || to.uid == 0 || to.uid == a.UID {
		return err
	}
	return move(s, e, a, to.uid, out)
}

func move(s account.Store, e *account.Edit, a account.Account, uid uint32, out io.Writer) error {
	if err := idle(a, false, "give another uid to"); err != nil {
		return err
	}
	if _, err := e.Move(a, uid); err != nil {
		return err
	}
	fmt.Fprintf(out,
		"  uid %d, was %d; to give it the files: find / -xdev -uid %[2]d -exec chown -h "+
			"%[1]d {} +\n", uid, a.UID)
	fmt.Fprintf(out,
		"  and those of its group: find / -xdev -gid %[2]d -exec chgrp -h %[1]d {} +\n", uid, a.UID)
	return errors.Join(s.Withdraw(a.UID), s.Withdraw(uid))
}

// executable refuses a shell that cannot be started: a typing error would lock the person out.
func executable(shell string) error {
	info, err := os.Stat(shell)
	if err == nil && (!info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0) {
		err = fmt.Errorf("%s: is not a program", shell)
	}
	return err
}
