// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"aadlogin/internal/authlog"
	"aadlogin/internal/doctor"
	"aadlogin/internal/report"
	"aadlogin/internal/shell"
)

// logFiles says where the log is: journalctl with these arguments, and text files.
type logFiles struct {
	files   fs.FS
	journal []string
}

func (o *options) logs(root fs.FS) logFiles {
	if o.root == "" {
		return logFiles{files: root}
	}
	return logFiles{root, []string{"--directory=" + o.root + "/var/log/journal"}}
}

// signIns reads the newest sign-ins of the journal and the text files. If only is set, it reads
// those of one account, and names holds all names that the account has or had.
func signIns(ctx context.Context, from logFiles, since, now time.Time, limit int, only string,
	names []string) report.SignIns {
	// A long log must not delay the report.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	recent := authlog.Recent{Max: limit, Since: since}
	if only != "" {
		recent.Want = func(e authlog.Event) bool {
			return slices.Contains(names, strings.ToLower(e.Values["account"]))
		}
	}
	s := report.SignIns{Since: since}
	merged := authlog.Merger{Keep: recent.Add}
	malformed, err := fromJournal(ctx, from.journal, since, merged.Journal)
	if s.Malformed += malformed; err != nil {
		s.Problems = append(s.Problems, "the journal: "+err.Error())
	}
	if merged.HasJournal() {
		s.Logs = append(s.Logs, "the journal")
	}
	files, malformed, err := authlog.Files(ctx, from.files, since, now, merged.File)
	s.Logs = append(s.Logs, files...)
	if s.Malformed += malformed; err != nil {
		s.Problems = append(s.Problems, strings.Split(err.Error(), "\n")...)
	}
	s.Events, s.Total = recent.Events(), recent.Total
	return s
}

// fromJournal gives every event of the journal to keep. A machine without journalctl has none.
func fromJournal(ctx context.Context, more []string, since time.Time,
	keep func(authlog.Event)) (malformed int, err error) {
	cmd := command(ctx, "journalctl", append(authlog.JournalArgs(since), more...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if noJournalctl(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	malformed, err = authlog.Journal(out, keep)
	if ended := cmd.Wait(); err == nil && ended != nil {
		err = errors.New(strings.TrimSpace(ended.Error() + " " + firstLine(said.String())))
	}
	return malformed, err
}

// noJournalctl reports whether err says that this machine has no journalctl.
func noJournalctl(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}

// journalExists reports whether the journal holds any line at all, ours or not.
func journalExists(ctx context.Context, more []string) (bool, error) {
	out, err := command(ctx, "journalctl",
		append([]string{"--quiet", "--no-pager", "--lines=1", "--output=cat"}, more...)...).Output()
	if noJournalctl(err) {
		return false, nil
	}
	return len(out) > 0, err
}

// lately is how far back check reads the log.
const lately = 7 * 24 * time.Hour

// lastRefusal returns a finding if the last sign-in of the account was denied. The log is the only
// place that knows about a person who was never let in. The fix is not taken from the log, since
// any local user can write there.
func (o *options) lastRefusal(ctx context.Context, name string, now time.Time) []doctor.Finding {
	said := signIns(ctx, o.logs(os.DirFS(o.root+"/")), now.Add(-lately), now, 1, name,
		[]string{strings.ToLower(name)})
	if len(said.Events) == 0 || said.Events[0].Verb != "denied" {
		return nil
	}
	last := said.Events[0]
	reason := last.Values["reason"]
	if strings.Trim(reason, "abcdefghijklmnopqrstuvwxyz-") != "" {
		return nil
	}
	return []doctor.Finding{{
		Check: "access", Status: doctor.Warning,
		Found: fmt.Sprintf("the last sign-in in the log, of %s, was denied: %s", when(last.Time),
			reason),
		Fix: "pam_aad(8) explains the reason; the whole line, with what mends it: journalctl -g " +
			shell.Word("pam_aad.*denied.*"+name),
	}}
}
