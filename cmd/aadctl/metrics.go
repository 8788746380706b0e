// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aadlogin/internal/account"
	"aadlogin/internal/authlog"
	"aadlogin/internal/metrics"
)

const (
	firstLook  = 7 * 24 * time.Hour // how much of a log is counted the first time
	logDelay   = 5 * time.Second    // the time until a line has reached the log
	maxMetrics = 1 << 20            // bytes of the file that are read
)

func metricsCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "metrics [FILE]",
		Short: "Count sign-ins and accounts for Prometheus",
		Long: `Count how attempts to sign in ended, by the log, and the accounts, in the text
format of Prometheus. FILE is one of node_exporter's textfile collector; what
is in it is read first, so that counters go on, and it is replaced as a whole.
Without FILE, standard output has what the last seven days of the log hold.

Nobody's name, address or id is in it.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return arguments(cmd, []string{"FILE"}, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if os.Geteuid() != 0 {
				return &failure{exitNo, "metrics: only root may read the log", "run this as root"}
			}
			return o.metrics(cmd, strings.Join(args, ""))
		},
	}
}

// metrics writes all counts that it can find out. A store that cannot be read is an error, which is
// returned after that.
func (o *options) metrics(cmd *cobra.Command, file string) error {
	m, err := countedBefore(file)
	if err != nil {
		return err
	}
	root := os.DirFS(cmp.Or(o.root, "/"))
	if err := countLog(cmd.Context(), m, o.logs(root), o.clock()); err != nil {
		return err
	}
	m.Version = cmp.Or(version, "unreleased")
	unread := o.reading("", func(s *account.Snapshot) error {
		m.Accounts = states(s)
		return nil
	})
	if file == "" {
		err = m.Write(cmd.OutOrStdout())
	} else {
		err = writeWhole(file, 0o644, true, m.Write) // readable for a collector that is not root
	}
	return cmp.Or(err, unread)
}

// countedBefore reads the file that the last run has written. A collector may own the directory and
// put anything there. So it follows no link, waits for no pipe, and returns an error for a file of
// another kind, which is then not replaced.
func countedBefore(file string) (*metrics.Metrics, error) {
	if file == "" {
		return new(metrics.Metrics), nil
	}
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return new(metrics.Metrics), nil
	}
	foreign := &failure{exitNo, "metrics: " + file +
		": is there, and no file that this command has written", "name another file"}
	if err != nil {
		return nil, foreign
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, foreign
	}
	m, err := metrics.Read(io.LimitReader(f, maxMetrics))
	if errors.Is(err, metrics.ErrForeign) {
		return nil, foreign
	}
	return m, err
}

// countLog counts the lines since the last run. The times of some logs have a resolution of a
// second. So it stops at the beginning of a second, once all lines of the second before have
// arrived.
func countLog(ctx context.Context, m *metrics.Metrics, from logFiles, now time.Time) error {
	since, until := m.Until, now.Add(-logDelay).Truncate(time.Second)
	switch {
	case since.IsZero():
		since = until.Add(-firstLook)
	case since.After(now): // the clock was set back
		since = until
	case until.Before(since):
		return nil
	}
	m.Until = until
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	keep := func(e authlog.Event) {
		if !e.Time.Before(since) && e.Time.Before(until) {
			m.Add(e, ofRoot(from.files, e.Writer))
		}
	}
	if journal, err := journalExists(ctx, from.journal); journal || err != nil {
		if err == nil {
			_, err = fromJournal(ctx, from.journal, since, keep)
		}
		return inLog("the journal", err)
	}
	_, _, err := authlog.Files(ctx, from.files, since, now, keep)
	return inLog("the log", err)
}

func inLog(what string, err error) error {
	if err == nil {
		return nil
	}
	return no("metrics: "+what+": "+firstLine(err.Error()),
		"nothing was written; what is in the log is counted the next time")
}

// ofRoot reports whether a process with root's rights wrote a line. su and similar programs write
// under the uid of their caller, but only what they mean to say, and only root can have made them
// setuid. A text file does not tell who wrote, so such a line counts.
func ofRoot(root fs.FS, w *authlog.Writer) bool {
	if w == nil || w.UID == 0 {
		return true
	}
	info, err := fs.Stat(root, strings.TrimPrefix(w.Exe, "/"))
	if err != nil || w.Exe == "" {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && owner.Uid == 0 && info.Mode().IsRegular() && info.Mode()&fs.ModeSetuid != 0
}

// states counts the accounts by state. It includes states without an account.
func states(s *account.Snapshot) map[string]int {
	n := map[string]int{"user": 0, "admin": 0, "locked": 0, "imported": 0, "removed": 0}
	for a := range s.All() {
		if word := state(a); word != "moved" { // which is only a uid
			n[word]++
		}
	}
	return n
}
