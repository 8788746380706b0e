// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package authlog

import "time"

// A Merger passes the events of the journal and of text files on to Keep, each once. A syslog
// daemon writes what the journal holds into text files, too, so an event of a text file counts only
// if it is older than the whole journal. The journal has to be read first.
type Merger struct {
	Keep func(Event)

	oldest time.Time // of the journal; zero: it holds no event
}

// Journal takes an event of the journal.
func (m *Merger) Journal(e Event) {
	if m.oldest.IsZero() || e.Time.Before(m.oldest) {
		m.oldest = e.Time
	}
	m.Keep(e)
}

// File takes an event of a text file, whose time may have no more than seconds.
func (m *Merger) File(e Event) {
	if m.oldest.IsZero() || e.Time.Before(m.oldest.Truncate(time.Second)) {
		m.Keep(e)
	}
}

// HasJournal reports whether the journal held an event.
func (m *Merger) HasJournal() bool { return !m.oldest.IsZero() }
