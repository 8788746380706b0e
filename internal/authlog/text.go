// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authlog

import (
	"bufio"
	"io"
	"strings"
	"time"
)

// maxLine is longer than any line of ours: pam_aad.so writes 8000 bytes at most.
const maxLine = 16 << 10

// Text reads a log file of a syslog daemon, oldest line first, and gives every event to keep. now
// tells the time zone, and the year, which the traditional format leaves out.
func Text(r io.Reader, now time.Time, keep func(Event)) (malformed int, err error) {
	return lines(r, maxLine, func(line string) error {
		e, err := parseLine(line, now)
		if err == nil {
			keep(e)
		}
		return err
	})
}

// lines counts the malformed lines. A line that is too long is skipped.
func lines(r io.Reader, longest int, parse func(string) error) (malformed int, err error) {
	in := bufio.NewReaderSize(r, longest)
	for {
		line, long, err := in.ReadLine()
		if err == io.EOF {
			return malformed, nil
		}
		if err != nil {
			return malformed, err
		}
		if !long {
			if parse(string(line)) == errMalformed {
				malformed++
			}
			continue
		}
		for long && err == nil {
			_, long, err = in.ReadLine()
		}
	}
}

// parseLine reads TIME HOST TAG: MESSAGE. The module's text must be the beginning of the message:
// further on it may be part of a name that somebody typed and sshd has logged.
func parseLine(line string, now time.Time) (Event, error) {
	at, rest, ok := timestamp(line, now)
	if !ok {
		return Event{}, ErrForeign
	}
	_, rest, _ = strings.Cut(rest, " ") // the host
	tag, message, ok := strings.Cut(rest, ": ")
	if !ok || strings.Contains(tag, " ") {
		return Event{}, ErrForeign
	}
	e, err := Parse(message)
	e.Time = at
	return e, err
}

// timestamp reads the two formats of rsyslog: those of RFC 3339 and of RFC 3164.
func timestamp(line string, now time.Time) (at time.Time, rest string, ok bool) {
	if first, rest, ok := strings.Cut(line, " "); ok && len(first) >= len("2006-01-02T15:04:05Z") {
		at, err := time.Parse(time.RFC3339, first)
		return at, rest, err == nil
	}
	if len(line) <= len(time.Stamp) || line[len(time.Stamp)] != ' ' {
		return at, "", false
	}
	short, err := time.Parse(time.Stamp, line[:len(time.Stamp)])
	return latest(short, now), line[len(time.Stamp)+1:], err == nil
}

// latest returns the last time that a date without its year was. A date up to a day ahead is the
// clock's fault.
func latest(short, now time.Time) time.Time {
	const leap = 8 // years between two 29ths of February, at most
	for year := now.Year(); year > now.Year()-leap; year-- {
		at := time.Date(year, short.Month(), short.Day(),
			short.Hour(), short.Minute(), short.Second(), 0, now.Location())
		if at.Month() == short.Month() && at.Before(now.AddDate(0, 0, 1)) {
			return at
		}
	}
	return now
}
