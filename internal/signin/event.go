// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/azure"
	"aadlogin/internal/oauth"
	"aadlogin/internal/rbac"
)

// An authorization is what was decided about the person, and by what. It is for the log alone.
type authorization struct {
	source      string // that was asked
	decision    string // "user", "administrator"
	role, scope string // that allow it
	assignment  string
	why         string   // no more is allowed
	withheld    bool     // by a deny assignment
	standIn     []string // pairs about the grant that stands in for Azure
	noStandIn   []string // pairs about why the last grant does not stand in
}

// An event collects what an attempt's one line in the log says. It decides nothing.
type event struct {
	authorization
	uid         uint32 // 0: not known yet
	object      string
	signIn      string   // Entra's id of the sign-in
	flow        string   // "browser" where an answer is pasted
	correlation string   // of the server that answered last
	reused      []string // pairs about the sign-in that stands in for the browser

	entraTook string // until there was a code, or to redeem one
	azureTook string // until Azure had decided
}

// decided notes Azure's decision.
func (e *event) decided(source string, d rbac.Decision) {
	e.authorization = authorization{
		source: source, role: d.Role, scope: d.Scope, assignment: d.Assignment, why: d.Reason,
		withheld: d.Withheld, standIn: e.standIn, noStandIn: e.noStandIn,
	}
	e.correlation = d.CorrelationID
	switch {
	case d.Admin:
		e.decision = "administrator"
	case d.Login:
		e.decision = "user"
	}
}

// byGrant notes that the last grant stands in: because of the error unreachable, or because the
// source cannot be asked (nil).
func (e *event) byGrant(g account.Grant, admin bool, unreachable error) {
	e.decided(g.Source, rbac.Decision{
		Login: true, Admin: g.Admin && admin, By: rbac.By{Scope: g.Scope},
	})
	e.standIn = []string{"grant_time", g.Time.UTC().Format(time.RFC3339)}
	if unreachable != nil {
		e.standIn = append(e.standIn, "error", unreachable.Error())
	}
}

// notForAdministrators notes that there is a last grant, which does not stand in here.
func (e *event) notForAdministrators() {
	e.noStandIn = []string{"grant_problem", "does not cover administrators"}
}

// heard notes the correlation id of the server that refused, if err is a refusal.
func (e *event) heard(err error) {
	var theirs *oauth.Error
	var arm *azure.Error
	e.correlation = ""
	switch {
	case errors.As(err, &theirs):
		e.correlation = theirs.CorrelationID
	case errors.As(err, &arm):
		e.correlation = arm.CorrelationID
	}
}

// id returns what a person can quote: the id of the server that answered last, or else the
// attempt's.
func (e *event) id(attempt string) string { return cmp.Or(clean(e.correlation, 64), attempt) }

// line returns the line about the end of an attempt: the same keys in the same order whatever the
// end, then the pairs of this one.
func (e *event) line(verb, reason string, r Request, duration string, more ...string) string {
	uid := ""
	switch {
	case e.uid != 0:
		uid = fmt.Sprint(e.uid)
	case r.KnownToHost:
		uid = fmt.Sprint(r.UID)
	}
	pairs := []string{"reason", reason, "account", r.User, "uid", uid, "oid", e.object,
		"service", r.Service, "rhost", r.RemoteHost, "flow", e.flow, "source", e.source,
		"decision", e.decision, "role", e.role, "scope", e.scope, "assignment", e.assignment,
		"decision_reason", e.why, "correlation_id", e.id(r.Attempt), "uti", e.signIn,
		"entra_duration", e.entraTook, "azure_duration", e.azureTook, "duration", duration,
		"attempt", r.Attempt}
	return LogLine(verb, slices.Concat(pairs, e.noStandIn, more)...)
}

// correlation returns the correlation id that the person is told.
func (a *attempt) correlation() string { return a.event.id(a.Attempt) }

// line returns the log line about the end of this attempt.
func (a *attempt) line(verb, reason string, more ...string) string {
	return a.event.line(verb, reason, a.Request, a.since(a.begun), more...)
}

// since returns how long something took, as the log has it.
func (a *attempt) since(begun time.Time) string {
	return fmt.Sprintf("%.3fs", a.Now().Sub(begun).Seconds())
}

// log writes a line about something besides the attempt's end.
func (a *attempt) log(level LogLevel, verb string, pairs ...string) {
	common := []string{
		"account", a.User, "service", a.Service, "rhost", a.RemoteHost, "attempt", a.Attempt,
	}
	a.conv.Log(level, LogLine(verb, append(common, pairs...)...))
}

// debug writes, with the module argument of that name, that a step is done.
func (a *attempt) debug(step string, pairs ...string) {
	if a.Debug {
		a.log(LogDebug, "step", append([]string{"step", step}, pairs...)...)
	}
}
