// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"slices"
	"strings"
	"time"

	"aadlogin/internal/authlog"
	"aadlogin/internal/report"
)

// logSources are where sign-ins are read: the journal of journalctl with these arguments, and text files.
type logSources struct {
	files   fs.FS
	journal []string
}

func (o *options) logs(root fs.FS) logSources {
	if o.root == "" {
		return logSources{files: root}
	}
	return logSources{root, []string{"--directory=" + o.root + "/var/log/journal"}}
}

// signIns asks the journal, and text files for what is older than it. names are those that one account has or had.
func signIns(ctx context.Context, from logSources, since, now time.Time, limit int, only string, names []string) report.SignIns {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // a log of years must not keep a ticket waiting
	defer cancel()
	recent := authlog.Recent{Max: limit, Since: since}
	if only != "" {
		recent.Want = func(e authlog.Event) bool { return slices.Contains(names, strings.ToLower(e.Values["account"])) }
	}
	s := report.SignIns{Since: since}
	oldest, malformed, err := fromJournal(ctx, from.journal, since, recent.Add)
	if s.Malformed += malformed; err != nil {
		s.Problems = append(s.Problems, "the journal: "+err.Error())
	}
	if !oldest.IsZero() {
		s.Sources = append(s.Sources, "the journal")
	}
	files, malformed, err := authlog.Files(ctx, from.files, since, now, func(e authlog.Event) {
		if oldest.IsZero() || e.Time.Before(oldest.Truncate(time.Second)) {
			recent.Add(e)
		}
	})
	s.Sources = append(s.Sources, files...)
	if s.Malformed += malformed; err != nil {
		s.Problems = append(s.Problems, strings.Split(err.Error(), "\n")...)
	}
	s.Events, s.Total = recent.Events(), recent.Total
	return s
}

// fromJournal also returns the time of the oldest event there is. A machine without a journal has none.
func fromJournal(ctx context.Context, more []string, since time.Time, keep func(authlog.Event)) (
	oldest time.Time, malformed int, err error) {
	cmd := command(ctx, "journalctl", append(authlog.JournalArgs(since), more...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if noJournalctl(err) {
		return oldest, 0, nil
	}
	if err != nil {
		return oldest, 0, err
	}
	malformed, err = authlog.Journal(out, func(e authlog.Event) {
		if oldest.IsZero() || e.Time.Before(oldest) {
			oldest = e.Time
		}
		keep(e)
	})
	if ended := cmd.Wait(); err == nil && ended != nil {
		err = errors.New(strings.TrimSpace(ended.Error() + " " + firstLine(said.String())))
	}
	return oldest, malformed, err
}

// noJournalctl: this machine has none.
func noJournalctl(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}

// journalExists tells a journal with nothing of ours from one that nobody writes.
func journalExists(ctx context.Context, more []string) (bool, error) {
	out, err := command(ctx, "journalctl", append([]string{"--quiet", "--no-pager", "--lines=1", "--output=cat"}, more...)...).Output()
	if noJournalctl(err) {
		return false, nil
	}
	return len(out) > 0, err
}
