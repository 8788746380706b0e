// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aadlogin/internal/authlog"
	"aadlogin/internal/doctor"
)

// A view is a report in the form that the page needs.
type view struct{ *Report }

// CSS returns our style. The policy names its digest, so no other style counts, and nothing else is
// loaded or run.
func (view) CSS() template.CSS { return template.CSS(css) }

func (view) Policy() string {
	sum := sha256.Sum256([]byte(css))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; " +
		"base-uri 'none'; form-action 'none'"
}

// Machine returns the value of the first fact, which is the machine's name.
func (v view) Machine() string {
	if len(v.Facts) == 0 {
		return ""
	}
	return v.Facts[0].Value
}

// Wrong returns the checks that failed or warn, in their order.
func (v view) Wrong() (wrong []doctor.Finding) {
	for _, c := range v.Checks {
		if c.Status == doctor.Failed || c.Status == doctor.Warning {
			wrong = append(wrong, c)
		}
	}
	return wrong
}

// Summary returns the report in a few words.
func (v view) Summary() sign {
	failed := 0
	for _, c := range v.Wrong() {
		if c.Status == doctor.Failed {
			failed++
		}
	}
	attention := ""
	if warned := len(v.Wrong()) - failed; warned > 0 {
		attention = "; " + count(warned, "needs", "need") + " attention"
	}
	switch {
	case failed > 0:
		return sign{Class: "bad", Word: count(failed, "check", "checks") +
			" failed" + attention + "."}
	case attention != "":
		return sign{Class: "soso", Word: "No check failed" + attention + "."}
	}
	return sign{Class: "good", Word: "Every check passed."}
}

// A sign shows a status, also in words: many people cannot tell colours apart.
type sign struct{ Class, Mark, Word string }

func signs(s doctor.Status) sign {
	switch s {
	case doctor.OK:
		return sign{"good", "✓", "ok"}
	case doctor.Warning:
		return sign{"soso", "!", "warning"}
	case doctor.Skipped:
		return sign{"none", "–", "skipped"}
	default:
		return sign{"bad", "✗", "failed"}
	}
}

func outcomeOf(e authlog.Event) sign {
	word := e.Verb
	if reason := e.Values["reason"]; reason != "" {
		word += ": " + visible(reason)
	}
	switch e.Verb {
	case "signed-in", "authorized":
		return sign{"good", "✓", word}
	case "denied":
		return sign{"bad", "✗", word}
	default:
		return sign{"soso", "!", word}
	}
}

// details are the keys that get a place in a table, each with its word. All other keys of a line
// stay in the log.
var details = []struct{ key, word string }{
	{"decision", "as"}, {"role", "role"}, {"scope", "at"}, {"decision_reason", "why"},
	{"error", "error"}, {"server", "server"},
	{"limit", "limit"}, {"aadsts", "AADSTS"}, {"correlation_id", "correlation id"},
}

// detail returns the details of an event. It leaves free text out of a redacted report.
func (v view) detail(e authlog.Event) (all []Fact) {
	for _, d := range details {
		free := d.key == "error" || d.key == "decision_reason"
		if value := e.Values[d.key]; value != "" && (v.Redacted == nil || !free) {
			all = append(all, Fact{d.word, visible(value)})
		}
	}
	if w := e.Writer; w != nil && w.UID != 0 {
		writer := fmt.Sprintf("uid %d", w.UID)
		if w.Exe != "" { // the process had not ended yet
			writer += ", " + visible(w.Exe)
		}
		all = append(all, Fact{"written by", writer})
	}
	return all
}

func (v view) who(name string) string  { return v.instead("account", name) }
func (v view) host(name string) string { return v.instead("host", name) }

func (v view) instead(kind, name string) string { return visible(v.pseudonym(kind, name)) }

// pseudonym returns a stand-in for a name. It is the same everywhere in one report, and different
// in any other. If the report is not redacted, it returns the name.
func (v view) pseudonym(kind, name string) string {
	if v.Redacted == nil || name == "" {
		return name
	}
	sum := hmac.New(sha256.New, v.Redacted)
	sum.Write([]byte(kind + "\x00" + strings.ToLower(name)))
	return kind + "-" + hex.EncodeToString(sum.Sum(nil)[:5])
}

var upn = regexp.MustCompile(`[^\s"'=,;:()<>/]+@[^\s"'=,;:()<>/]+`)

// found returns the sentence of a check. In a redacted report it replaces the names in it. A
// damaged store's sentence may contain a record of the store.
func (v view) found(c doctor.Finding, text string) string {
	switch {
	case v.Redacted == nil:
		return visible(text)
	case c.Check == "store" && c.Status == doctor.Failed:
		return "left out, for it may name people: aadctl check says it on the machine"
	}
	return visible(upn.ReplaceAllStringFunc(text, v.who))
}

// visible returns a text that may consist of any bytes as one in which nothing is hidden or changes
// the direction of the following text.
func visible(s string) string {
	odd := func(r rune) bool { return !unicode.IsPrint(r) }
	if utf8.ValidString(s) && !strings.ContainsFunc(s, odd) {
		return s
	}
	return strconv.QuoteToGraphic(s)
}

func zulu(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }
func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }
func iso(t time.Time) string  { return t.UTC().Format(time.RFC3339) }

// number returns a number with separators between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}
