// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/report"
)

// listing is how to list.
type listing struct{ all, json, passwd bool }

func accountList(o *options) *cobra.Command {
	var how listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts of this machine",
		Long: `List the accounts of this machine in the order they came to be. STATE is user,
admin (a member of aad_admins), locked, imported (nobody has signed in yet) or
removed. The other formats hold more.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if how.passwd && (how.json || how.all) { // a removed account has no entry
				return usage(below(cmd) + "--passwd excludes --json and --all")
			}
			return o.reading("",
				func(s *account.Snapshot) error { return how.list(cmd.OutOrStdout(), s) })
		},
	}
	cmd.Flags().BoolVar(&how.all, "all", false, "removed accounts and abandoned ids, too")
	cmd.Flags().BoolVar(&how.json, "json", false, "one JSON object per line")
	cmd.Flags().BoolVar(&how.passwd, "passwd", false, "lines of passwd(5), as import reads them")
	return cmd
}

// list holds no more than one account, so that their number does not matter.
func (how listing) list(out io.Writer, s *account.Snapshot) error {
	w := bufio.NewWriter(out)
	defer w.Flush() // out remembers errors
	switch {
	case how.json:
		how.each(s, func(a account.Account) { jsonLine(w, recordOf(a)) })
	case how.passwd:
		how.each(s, func(a account.Account) {
			fmt.Fprintf(w, "%s:*:%d:%d:%s:%s:%s\n", a.Name, a.UID, a.UID, a.Gecos, a.Home, a.Shell)
		})
	default:
		how.table(w, terminalWidth(out), s)
	}
	return nil
}

// table reads the accounts twice, once for the width of the columns.
func (how listing) table(out io.Writer, terminal int, s *account.Snapshot) {
	t := newTable(out, "NAME", "UID", "STATE", "CREATED")
	for _, pass := range []func(...string){t.measure, t.print} {
		t.fit(terminal) // of nothing, the first time
		pass(t.head...)
		how.each(s, func(a account.Account) {
			pass(a.Name, strconv.FormatUint(uint64(a.UID), 10), state(a),
				a.Created.UTC().Format(time.DateOnly))
		})
	}
	t.flush()
}

func (how listing) each(s *account.Snapshot, do func(account.Account)) {
	for a := range s.All() {
		if how.all || a.Removed.IsZero() {
			do(a)
		}
	}
}

// state is the one word that matters most.
func state(a account.Account) string {
	switch {
	case a.MovedTo != 0:
		return "moved"
	case !a.Removed.IsZero():
		return "removed"
	case !a.Locked.IsZero():
		return "locked"
	case a.Admin:
		return "admin"
	case a.ObjectID == "":
		return "imported"
	default:
		return "user"
	}
}

// record is an account as JSON. The manual page has the keys.
type record struct {
	Name     string    `json:"name"`
	UPN      string    `json:"upn"`
	UID      uint32    `json:"uid"`
	State    string    `json:"state"`
	Gecos    string    `json:"gecos"`
	Home     string    `json:"home"`
	Shell    string    `json:"shell"`
	TenantID string    `json:"tenant_id,omitempty"`
	ObjectID string    `json:"object_id,omitempty"`
	Admin    bool      `json:"admin"`
	Groups   []uint32  `json:"groups,omitempty"`
	Former   []string  `json:"former_names,omitempty"`
	Created  time.Time `json:"created"`
	Locked   time.Time `json:"locked,omitzero"`
	Removed  time.Time `json:"removed,omitzero"`
	MovedTo  uint32    `json:"moved_to,omitempty"`
}

func recordOf(a account.Account) record {
	return record{
		a.Name, a.UPN, a.UID, state(a), a.Gecos, a.Home, a.Shell, a.TenantID, a.ObjectID,
		a.Admin, a.Groups, a.Former, a.Created, a.Locked, a.Removed, a.MovedTo,
	}
}

// jsonLine writes one line.
func jsonLine(w *bufio.Writer, v any) {
	if text, err := report.Printable(v); err == nil {
		w.WriteString(text + "\n")
	}
}
