// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authlog

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
)

// JournalArgs returns the arguments with which journalctl(1) prints what Journal reads: the
// facility authpriv, newest first, so that the newest events have come when time is up.
func JournalArgs(since time.Time) []string {
	return []string{
		"--quiet", "--no-pager", "--output=json", "--output-fields=MESSAGE,_UID,_EXE", "--reverse",
		"--since=@" + strconv.FormatInt(since.Unix(), 10), "SYSLOG_FACILITY=10",
	}
}

// entry is one of journalctl's objects. A field that is not text is not a JSON string.
type entry struct {
	Time    string `json:"__REALTIME_TIMESTAMP"` // microseconds
	Message any    `json:"MESSAGE"`
	UID     any    `json:"_UID"`
	Exe     any    `json:"_EXE"`
}

// Journal reads the output of journalctl, an object on each line, and gives every event to keep.
func Journal(r io.Reader, keep func(Event)) (malformed int, err error) {
	const longest = 8 * maxLine // JSON has up to six bytes for one
	return lines(r, longest, func(line string) error {
		if !strings.Contains(line, "pam_aad(") {
			return ErrForeign
		}
		var found entry
		if err := json.Unmarshal([]byte(line), &found); err != nil {
			return errMalformed
		}
		e, err := found.event()
		if err == nil {
			keep(e)
		}
		return err
	})
}

func (j entry) event() (Event, error) {
	message, _ := j.Message.(string)
	e, err := Parse(message)
	if err != nil {
		return e, err
	}
	microseconds, err := strconv.ParseInt(j.Time, 10, 64)
	if err != nil {
		return Event{}, errMalformed
	}
	e.Time = time.UnixMicro(microseconds)
	text, _ := j.UID.(string)
	if uid, err := strconv.ParseUint(text, 10, 32); err == nil {
		exe, _ := j.Exe.(string)
		e.Writer = &Writer{uint32(uid), exe}
	}
	return e, nil
}
