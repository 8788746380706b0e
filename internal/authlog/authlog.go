// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package authlog reads what the PAM module has written to the log about the ends of attempts to
// sign in.
//
// The lines come from two places: what journalctl prints as JSON, and the text files of syslog
// daemons. Both also hold what others wrote, and may hold forged lines. A line counts only if
// package signin could have written all of it (testdata/log holds both to one grammar). Values may
// be any text: the program that shows them makes them harmless. A line that begins as ours do and
// continues otherwise is only counted. The length of a line, the amount read of a file, and the
// number of events kept are bounded.
package authlog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Event is the end of one attempt.
type Event struct {
	Time   time.Time
	Verb   string            // signed-in, authorized, denied, failed
	Values map[string]string // by key, as pam_aad(8) lists them
	Writer *Writer           // nil: unknown
}

// Writer is the process that handed a line to the journal, as the kernel saw it.
type Writer struct {
	UID uint32
	Exe string
}

var (
	// ErrForeign is returned for a line that is not about the end of an attempt.
	ErrForeign = errors.New("authlog: not the end of an attempt")

	errMalformed = errors.New("authlog: malformed")
)

// Parse reads one message, as pam_syslog(3) makes it: pam_aad(SERVICE:FACILITY): VERB KEY="VALUE"…
func Parse(message string) (Event, error) {
	message, ours := strings.CutPrefix(message, "pam_aad(")
	if !ours {
		return Event{}, ErrForeign
	}
	_, line, ok := strings.Cut(message, "): ")
	if !ok {
		return Event{}, errMalformed
	}
	verb, rest, more := strings.Cut(line, " ")
	switch verb {
	case "signed-in", "authorized", "denied", "failed":
	default:
		return Event{}, ErrForeign
	}
	if more && rest == "" {
		return Event{}, errMalformed
	}
	e := Event{Verb: verb, Values: map[string]string{}}
	for rest != "" {
		key, value, left, err := pair(rest)
		if _, twice := e.Values[key]; err != nil || twice {
			return Event{}, errMalformed
		}
		e.Values[key] = value
		if rest = strings.TrimPrefix(left, " "); left != "" && (rest == left || rest == "") {
			return Event{}, errMalformed
		}
	}
	return e, nil
}

// pair reads KEY="VALUE" from the beginning of a text.
func pair(text string) (key, value, rest string, err error) {
	key, rest, ok := strings.Cut(text, `="`)
	if !ok || key == "" || strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "", "", "", errMalformed
	}
	value, rest, err = unquote(rest)
	return key, value, rest, err
}

// unquote undoes quote of package signin. rest is what follows the closing quote.
func unquote(text string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return b.String(), text[i+1:], nil
		case c < ' ' || c > '~':
			return "", "", errMalformed
		case c != '\\':
			b.WriteByte(c)
		default:
			c, n := escaped(text[i+1:])
			if n == 0 {
				return "", "", errMalformed
			}
			b.WriteByte(c)
			i += n
		}
	}
	return "", "", errMalformed
}

// escaped returns the byte that a backslash escapes, and the length of its spelling; 0 for an
// escape that quote does not write.
func escaped(text string) (c byte, n int) {
	switch {
	case text == "":
		return 0, 0
	case text[0] == '"' || text[0] == '\\':
		return text[0], 1
	case text[0] != 'x' || len(text) < 3:
		return 0, 0
	}
	byte64, err := strconv.ParseUint(text[1:3], 16, 8)
	if c = byte(byte64); err != nil || c >= ' ' && c <= '~' || fmt.Sprintf("%02x", c) != text[1:3] {
		return 0, 0
	}
	return c, 3
}
