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

// A listing holds the flags of account list.
type listing struct{ all, last, json, passwd bool }

func accountList(o *options) *cobra.Command {
	var how listing
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts of this machine",
		Long: `List the accounts of this machine in the order they came to be. STATE is user,
admin (a member of aad_admins), locked, imported (nobody has signed in yet) or
removed. The other formats hold more. LAST, with --last, is the day of the last
authorization: a sign-in, or a sudo or key that Azure was asked about.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			// passwd(5) has no field for a date, and a removed account has no entry in it.
			if how.passwd && (how.json || how.all || how.last) {
				return usage(below(cmd) + "--passwd excludes --json, --all and --last")
			}
			return o.reading("", func(s *account.Snapshot) error {
				store, err := o.anyStore()
				if err != nil {
					return err
				}
				return how.list(cmd.OutOrStdout(), store, s)
			})
		},
	}
	cmd.Flags().BoolVar(&how.all, "all", false, "removed accounts and abandoned ids, too")
	cmd.Flags().BoolVar(&how.last, "last", false, "also the last authorization of each account")
	cmd.Flags().BoolVar(&how.json, "json", false, "one JSON object per line")
	cmd.Flags().BoolVar(&how.passwd, "passwd", false, "lines of passwd(5), as import reads them")
	return cmd
}

// list holds one account at a time, so memory does not depend on their number.
func (how listing) list(out io.Writer, store account.Store, s *account.Snapshot) error {
	w := bufio.NewWriter(out)
	defer w.Flush() // out remembers errors
	switch {
	case how.json:
		how.each(s, func(a account.Account) {
			r := recordOf(a)
			if how.last {
				r.Last = lastOf(store, a.UID, time.RFC3339)
			}
			jsonLine(w, r)
		})
	case how.passwd:
		how.each(s, func(a account.Account) {
			fmt.Fprintf(w, "%s:*:%d:%d:%s:%s:%s\n", a.Name, a.UID, a.UID, a.Gecos, a.Home, a.Shell)
		})
	default:
		how.table(w, terminalWidth(out), store, s)
	}
	return nil
}

// table reads the accounts twice, once for the width of the columns. It reads the grants once: the
// last column needs no width.
func (how listing) table(out io.Writer, terminal int, store account.Store, s *account.Snapshot) {
	head := []string{"NAME", "UID", "STATE", "CREATED"}
	if how.last {
		head = append(head, "LAST")
	}
	t := newTable(out, head...)
	row := func(a account.Account, last string) []string {
		return []string{a.Name, strconv.FormatUint(uint64(a.UID), 10), state(a),
			a.Created.UTC().Format(time.DateOnly), last}[:len(head)]
	}
	t.measure(head...)
	how.each(s, func(a account.Account) { t.measure(row(a, time.DateOnly)...) })
	t.fit(terminal)
	t.print(head...)
	how.each(s, func(a account.Account) {
		last := ""
		if how.last {
			last = lastOf(store, a.UID, time.DateOnly)
		}
		t.print(row(a, last)...)
	})
	t.flush()
}

// lastOf returns the time of the last authorization, or a word for an account without one. A "-"
// sorts before all times, the other words behind them.
func lastOf(store account.Store, uid uint32, layout string) string {
	switch g, err := store.LastDecision(uid); {
	case err == account.ErrNoGrant:
		return "-"
	case err != nil:
		return "unreadable"
	case g.Denied != "":
		return "refused"
	default:
		return g.Time.UTC().Format(layout)
	}
}

func (how listing) each(s *account.Snapshot, do func(account.Account)) {
	for a := range s.All() {
		if how.all || a.Removed.IsZero() {
			do(a)
		}
	}
}

// state returns the one word that matters most.
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

// A record is an account as JSON. The manual page has the keys.
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

	Last string `json:"last,omitempty"` // by account list --last
}

func recordOf(a account.Account) record {
	return record{
		Name: a.Name, UPN: a.UPN, UID: a.UID, State: state(a), Gecos: a.Gecos, Home: a.Home,
		Shell: a.Shell, TenantID: a.TenantID, ObjectID: a.ObjectID, Admin: a.Admin,
		Groups: a.Groups, Former: a.Former, Created: a.Created, Locked: a.Locked,
		Removed: a.Removed, MovedTo: a.MovedTo,
	}
}

// jsonLine writes one line.
func jsonLine(w *bufio.Writer, v any) {
	if text, err := report.Printable(v); err == nil {
		w.WriteString(text + "\n")
	}
}
