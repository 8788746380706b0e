// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
)

func accountShow(o *options) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show ACCOUNT",
		Short: "Show everything about one account",
		Long: `Show everything about one account, by its name or uid, also a removed one, and
its last authorization.`,
		Args: exactly("ACCOUNT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.reading("", func(s *account.Snapshot) error {
				a, err := find(s, args[0])
				if err != nil {
					return err
				}
				if asJSON {
					w := bufio.NewWriter(cmd.OutOrStdout())
					jsonLine(w, recordOf(a))
					return w.Flush()
				}
				store, err := o.anyStore()
				if err != nil {
					return err
				}
				grant, err := store.ReadGrant(a.UID)
				show(cmd.OutOrStdout(), a, grant, err)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object, of the account alone")
	return cmd
}

func show(out io.Writer, a account.Account, g account.Grant, noGrant error) {
	groups := []string{account.UsersGroup}
	if a.Admin {
		groups = append(groups, account.AdminsGroup)
	}
	for _, gid := range a.Groups {
		groups = append(groups, fmt.Sprint(gid))
	}
	last := "-"
	switch {
	case noGrant == nil:
		last = fmt.Sprintf("%s, at %s, from %s, by %s", when(g.Time), cmp.Or(g.Service, "-"),
			cmp.Or(g.RemoteHost, "this machine"), g.Source)
	case noGrant != account.ErrNoGrant: // there is one, but it cannot be read
		last = plain(noGrant)
	}
	p := &paper{w: out, width: terminalWidth(out)}
	for _, line := range [][2]string{
		{"name", a.Name}, {"state", state(a)}, {"upn", a.UPN}, {"uid, gid", fmt.Sprint(a.UID)},
		{"gecos", a.Gecos}, {"home", a.Home}, {"shell", a.Shell},
		{"groups", strings.Join(groups, ", ")},
		{"object id", cmp.Or(a.ObjectID, "-")}, {"tenant id", cmp.Or(a.TenantID, "-")},
		{"former names", cmp.Or(strings.Join(a.Former, ", "), "-")},
		{"created", when(a.Created)}, {"locked", when(a.Locked)}, {"removed", when(a.Removed)},
		{"authorized", last},
	} {
		fmt.Fprintf(out, "%-13s %s\n", line[0]+":", p.fold(printable(line[1]), 14))
	}
}

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
