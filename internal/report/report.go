// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package report writes what an operator attaches to a ticket: one HTML file that says what was
// checked on a machine, how sign-ins ended, and which accounts exist.
//
// Other people read it later, on other machines. So the file loads nothing and runs nothing. It has
// no script, no link to anything outside, and a Content-Security-Policy under which a browser would
// refuse both. Everything that comes from a log, a store or a server is text: html/template and
// visible see to that. The package's types hold no token, device code or environment. The report
// does contain personal data, and says so at its top. Redacted replaces names by pseudonyms, made
// with a key that is thrown away. Long lists are written as they are read: 100,000 accounts take no
// more memory than one.
package report

import (
	_ "embed"
	"html/template"
	"io"
	"iter"
	"time"

	"aadlogin/internal/authlog"
	"aadlogin/internal/doctor"
)

// A Report is what is known about a machine at one moment.
type Report struct {
	Made     time.Time
	Facts    []Fact // about the machine
	Only     string // the account to report on; "" for all
	Redacted []byte // the key of the pseudonyms; nil keeps names as they are

	Settings string // the configuration in force; "" if there is none
	Checks   []doctor.Finding
	SignIns  SignIns
	Accounts Accounts
}

// A Fact is a line about the machine.
type Fact struct{ Name, Value string }

// SignIns are the results of attempts, newest first.
type SignIns struct {
	Since     time.Time
	Events    []authlog.Event
	Total     int      // Events are the newest of these
	Logs      []string // the logs that were read
	Malformed int      // lines of ours that make no sense
	Problems  []string // what could not be read
}

// Accounts are those of the store.
type Accounts struct {
	All     iter.Seq[Account] // nil if the store cannot be read; read once
	Total   int               // All are the first of these
	Shown   int
	Problem string // why the store cannot be read
}

// An Account is a row of the table.
type Account struct {
	Name    string
	UID     uint32
	State   string
	Created time.Time
	Last    *Authorization
}

// An Authorization is the last authorization of an account.
type Authorization struct {
	Time    time.Time
	Admin   bool
	Service string
	From    string // remote host
	Source  string // authorization.source
}

//go:embed page.html
var page string

//go:embed page.css
var css string

// Write writes the HTML file.
func (r *Report) Write(w io.Writer) error {
	v := view{r}
	t, err := template.New("report").Funcs(template.FuncMap{
		"time": zulu, "date": date, "iso": iso, "count": count, "signs": signs,
		"outcome": outcomeOf, "number": number,
		"who": v.who, "host": v.host, "found": v.found, "detail": v.detail, "visible": visible,
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}
