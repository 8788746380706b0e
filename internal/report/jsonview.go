// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"
	"time"

	"aadlogin/internal/authlog"
	"aadlogin/internal/doctor"
)

type jsonSignIns struct {
	Since     time.Time   `json:"since"`
	Total     int         `json:"total"`
	Malformed int         `json:"malformed_lines"`
	Sources   []string    `json:"sources"`
	Problems  []string    `json:"problems,omitempty"`
	Events    []jsonEvent `json:"events"`
}

type jsonEvent struct {
	Time    time.Time         `json:"time"`
	Outcome string            `json:"outcome"`
	Values  map[string]string `json:"values"` // by the keys of the log
	Writer  *jsonWriterOfLine `json:"written_by,omitempty"`
}

type jsonWriterOfLine struct {
	UID uint32 `json:"uid"`
	Exe string `json:"exe,omitempty"`
}

type jsonAccount struct {
	Name    string             `json:"name"`
	UID     uint32             `json:"uid,omitempty"`
	State   string             `json:"state"`
	Created time.Time          `json:"created"`
	Last    *jsonAuthorization `json:"last_authorization,omitempty"`
}

type jsonAuthorization struct {
	Time    time.Time `json:"time"`
	Admin   bool      `json:"admin"`
	Service string    `json:"service,omitempty"`
	From    string    `json:"from,omitempty"`
	Source  string    `json:"source,omitempty"`
}

func (v view) machine() map[string]string {
	facts := map[string]string{}
	for _, f := range v.Facts {
		facts[strings.ToLower(f.Name)] = f.Value
	}
	return facts
}

func (v view) checks() []doctor.Finding {
	all := make([]doctor.Finding, 0, len(v.Checks))
	for _, c := range v.Checks {
		redacted := c
		for _, text := range []*string{&redacted.Found, &redacted.Fix, &redacted.Command} {
			if v.Redacted != nil && *text != "" {
				*text = v.found(c, *text)
			}
		}
		all = append(all, redacted)
	}
	return all
}

func (v view) signIns() jsonSignIns {
	s := v.SignIns
	all := jsonSignIns{s.Since.UTC(), s.Total, s.Malformed, append([]string{}, s.Logs...),
		s.Problems, make([]jsonEvent, 0, len(s.Events))}
	for _, e := range s.Events {
		all.Events = append(all.Events, v.event(e))
	}
	return all
}

// told are the keys of a log line that a report without names keeps.
var told = []string{"reason", "service", "source", "decision", "role", "scope", "server", "limit",
	"aadsts", "correlation_id", "entra_duration",
	"azure_duration", "duration"}

func (v view) event(e authlog.Event) jsonEvent {
	found := jsonEvent{Time: e.Time.UTC(), Outcome: e.Verb, Values: e.Values}
	if w := e.Writer; w != nil && (w.UID == 0 || v.Redacted == nil) {
		found.Writer = &jsonWriterOfLine{w.UID, w.Exe}
	}
	if v.Redacted == nil {
		return found
	}
	found.Values = map[string]string{}
	keep := func(key, value string) {
		if value != "" {
			found.Values[key] = value
		}
	}
	for _, key := range told {
		keep(key, e.Values[key])
	}
	keep("account", v.pseudonym("account", e.Values["account"]))
	keep("rhost", v.pseudonym("host", e.Values["rhost"]))
	return found
}

func (v view) storeProblem() string {
	if v.Redacted != nil && v.Accounts.Problem != "" {
		return "left out"
	}
	return v.Accounts.Problem
}

func (v view) account(a Account) jsonAccount {
	row := jsonAccount{Name: v.pseudonym("account", a.Name), UID: a.UID,
		State: a.State, Created: a.Created.UTC()}
	if v.Redacted != nil {
		row.UID = 0
	}
	if l := a.Last; l != nil {
		row.Last = &jsonAuthorization{l.Time.UTC(), l.Admin, l.Service, v.pseudonym("host", l.From),
			l.Source}
	}
	return row
}
