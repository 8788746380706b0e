// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aadlogin/internal/config"
	"aadlogin/internal/doctor"
	"aadlogin/internal/report"
)

// A reporting holds the flags of report.
type reporting struct {
	only                         string
	since                        string
	limit                        int
	json, redact, offline, force bool
}

// write returns the function that writes the report in the wanted form.
func (how reporting) write(r *report.Report) func(io.Writer) error {
	if how.json {
		return r.WriteJSON
	}
	return r.Write
}

func reportCommand(o *options) *cobra.Command {
	var how reporting
	cmd := &cobra.Command{
		Use:   "report [FILE]",
		Short: "Write what a ticket needs into one file",
		Long: `Write what a ticket needs into one HTML file: what check finds, how sign-ins
ended, the accounts and the last authorization of each. Sign-ins are read from
the journal, and from /var/log/auth.log or /var/log/secure, also rotated.

Without FILE the name is made of this machine's and the time; - is standard
output. Only its owner can read the file, which loads nothing and runs nothing.
No password, token or device code is in it, but names and addresses of people
are: --redact puts pseudonyms in their place. --json writes the same for
programs; aadctl(8) has its keys.

The exit status is 0 once the report is written, whatever it says.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return arguments(cmd, []string{"FILE"}, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if os.Geteuid() != 0 {
				return &failure{exitNo, "report: only root may read all that is reported",
					"run this as root"}
			}
			return o.report(cmd, how, strings.Join(args, ""))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&how.only, "account", "", "report about `ACCOUNT` alone")
	flags.StringVar(&how.since, "since", "7d",
		"`TIME` of the oldest sign-in: 12h or 7d ago, or 2026-01-31")
	flags.IntVar(&how.limit, "limit", 1000, "at most `N` sign-ins, the newest, and N accounts")
	flags.BoolVar(&how.json, "json", false, "one JSON object instead of HTML")
	flags.BoolVar(&how.redact, "redact", false, "pseudonyms instead of names and addresses")
	flags.BoolVar(&how.offline, "offline", false, "ask nobody over the network")
	flags.BoolVar(&how.force, "force", false, "replace FILE if it is there")
	return cmd
}

func (o *options) report(cmd *cobra.Command, how reporting, file string) error {
	now := o.clock()
	since, err := how.start(cmd, now)
	if err != nil {
		return err
	}
	root := os.DirFS(cmp.Or(o.root, "/"))
	facts := machineFacts(root)
	file = cmp.Or(file, how.defaultName(facts[0].Value, now))
	if _, err := os.Lstat(file); err == nil && file != "-" && !how.force {
		return fileThere(file)
	}

	r := &report.Report{Made: now, Facts: facts, Only: how.only}
	if how.redact {
		r.Redacted = []byte(rand.Text())
	}
	if c, err := config.Load(o.config); err == nil {
		r.Settings = c.Show()
	}
	o.examine(cmd.Context(), how.accounts(), how.offline,
		func(more []doctor.Finding) { r.Checks = append(r.Checks, more...) })
	err = o.withRows(how, func(rows report.Accounts, names []string) error {
		r.Accounts = rows
		r.SignIns = signIns(cmd.Context(), o.logs(root), since, now, how.limit, how.only, names)
		if how.only != "" && rows.Problem == "" && rows.Total == 0 && r.SignIns.Total == 0 {
			return &failure{exitNo, "report: there is no account " + how.only +
				", and the log has no sign-in under that name since " +
				since.Format(time.DateOnly), allAccounts}
		}
		if file == "-" {
			return how.write(r)(cmd.OutOrStdout())
		}
		return writeWhole(file, 0o600, how.force, how.write(r)) // readable for its owner only
	})
	if err != nil || file == "-" {
		return err
	}
	return tellReport(cmd.OutOrStdout(), file, r)
}

// start returns the time that --since names.
func (how reporting) start(cmd *cobra.Command, now time.Time) (time.Time, error) {
	switch {
	case how.limit < 1:
		return now, usage(below(cmd) + "--limit must be 1 or more")
	case how.redact && how.only != "":
		return now, usage(below(cmd) + "--redact excludes --account, whose name would be no secret")
	}
	since, err := ago(how.since, now)
	if err != nil {
		return now, usage(fmt.Sprintf("%s--since: %q is neither a time ago, such as 12h or 7d, "+
			"nor a date, such as 2026-01-31", below(cmd), how.since))
	}
	return since, nil
}

// ago parses a duration, which may be in days, or a date in this machine's time zone.
func ago(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint16
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && fmt.Sprint(n) == days {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.ParseInLocation(time.DateOnly, text, now.Location())
}

func (how reporting) accounts() []string {
	if how.only == "" {
		return nil
	}
	return []string{how.only}
}

func (o *options) clock() time.Time {
	if o.now != nil {
		return o.now()
	}
	return time.Now()
}

// machineFacts returns the facts about the machine. Its name comes first.
func machineFacts(root fs.FS) []report.Fact {
	line := func(file string) string {
		text, _ := fs.ReadFile(root, file)
		return firstLine(string(text))
	}
	release, _ := fs.ReadFile(root, "etc/os-release")
	system := regexp.MustCompile(`(?m)^PRETTY_NAME="?([^"\n]*)`).
		FindSubmatch(append(release, "\nPRETTY_NAME=unknown"...))
	return []report.Fact{
		{Name: "Name", Value: cmp.Or(line("proc/sys/kernel/hostname"), "this machine")},
		{Name: "System", Value: string(system[1])},
		{Name: "Kernel", Value: cmp.Or(line("proc/sys/kernel/osrelease"), "unknown")},
		{Name: "Version", Value: built()},
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}

// defaultName returns a file name that is harmless in a shell and on other systems.
func (how reporting) defaultName(machine string, now time.Time) string {
	kind := ".html"
	if how.json {
		kind = ".json"
	}
	machine = regexp.MustCompile(`[^A-Za-z0-9.-]+`).ReplaceAllString(machine, "-")
	return "aad-login-report-" + machine + "-" + now.UTC().Format("20060102T150405Z") + kind
}

// writeWhole creates the file with this mode once all of it is on disk. It does not replace a file
// that appears meanwhile, because link(2) does not.
func writeWhole(file string, mode fs.FileMode, force bool, write func(io.Writer) error) error {
	next := file + ".new-" + rand.Text()[:8]
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if of := (*fs.PathError)(nil); errors.As(err, &of) {
		return &fs.PathError{Op: "write", Path: file, Err: of.Err}
	}
	defer os.Remove(next)
	buffered := bufio.NewWriter(f)
	err = write(buffered)
	err = errors.Join(err, buffered.Flush(), f.Chmod(mode), f.Sync(), f.Close())
	switch {
	case err != nil:
		return err
	case force:
		return os.Rename(next, file)
	}
	if err := os.Link(next, file); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fileThere(file)
}

func tellReport(out io.Writer, file string, r *report.Report) error {
	failed := 0
	for _, c := range r.Checks {
		if c.Status == doctor.Failed {
			failed++
		}
	}
	fmt.Fprintf(out, "%s: written; checks failed: %d, sign-ins: %d, accounts: %d\n",
		printable(file), failed, len(r.SignIns.Events), r.Accounts.Shown)
	if r.Redacted == nil {
		fmt.Fprintln(out,
			"  it names people and the addresses they came from; --redact leaves both out")
	}
	return nil
}
