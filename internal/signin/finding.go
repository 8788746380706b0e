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

// finding is what an attempt has found out about itself, for its one line in the log. It decides nothing.
type finding struct {
	uid         uint32 // 0: none yet
	object      string
	signIn      string // Entra's id of the sign-in
	flow        string // "browser" where an answer is pasted
	source      string // that was asked
	decision    string // "user", "administrator"
	role, scope string // that grant it
	assignment  string
	why         string   // nothing more was granted
	correlation string   // the last server's that had its say
	standIn     []string // pairs about the grant that stands in for Azure
	noStandIn   []string // pairs about why it does not
	reused      []string // pairs about the sign-in that stands in for the browser

	entraTook, azureTook string // until there was a code, or to redeem one; until it was known who may
}

// decided is Azure's word.
func (f *finding) decided(source string, d rbac.Decision) {
	f.source, f.role, f.scope, f.assignment, f.why, f.correlation = source, d.Role, d.Scope, d.Assignment, d.Reason, d.CorrelationID
	f.decision = ""
	switch {
	case d.Admin:
		f.decision = "administrator"
	case d.Login:
		f.decision = "user"
	}
}

// byGrant: the last grant stands in, because of this error if the source could not be asked.
func (f *finding) byGrant(g account.Grant, admin bool, unreachable error) {
	f.decided(g.Source, rbac.Decision{Login: true, Admin: g.Admin && admin, By: rbac.By{Scope: g.Scope}})
	f.standIn = []string{"grant_time", g.Time.UTC().Format(time.RFC3339)}
	if unreachable != nil {
		f.standIn = append(f.standIn, "error", unreachable.Error())
	}
}

// notForAdministrators: there is a last grant, which does not stand in here.
func (f *finding) notForAdministrators() {
	f.noStandIn = []string{"grant_problem", "does not cover administrators"}
}

// heard is what a server that refused said of itself, if err is a refusal.
func (f *finding) heard(err error) {
	var theirs *oauth.Error
	var arm *azure.Error
	f.correlation = ""
	switch {
	case errors.As(err, &theirs):
		f.correlation = theirs.CorrelationID
	case errors.As(err, &arm):
		f.correlation = arm.CorrelationID
	}
}

// correlation is what a person can quote: the server's id if a server had its say, ours otherwise.
func (a *attempt) correlation() string {
	return cmp.Or(clean(a.found.correlation, 64), a.Attempt)
}

// line is how an attempt ended: the same keys in the same order whatever the end, then what belongs to this one.
func (a *attempt) line(verb, reason string, more ...string) string {
	uid := ""
	switch {
	case a.found.uid != 0:
		uid = fmt.Sprint(a.found.uid)
	case a.KnownToHost:
		uid = fmt.Sprint(a.UID)
	}
	pairs := []string{"reason", reason, "account", a.User, "uid", uid, "oid", a.found.object, "service", a.Service,
		"rhost", a.RemoteHost, "flow", a.found.flow, "source", a.found.source, "decision", a.found.decision, "role", a.found.role, "scope", a.found.scope,
		"assignment", a.found.assignment, "decision_reason", a.found.why, "correlation_id", a.correlation(), "uti", a.found.signIn,
		"entra_duration", a.found.entraTook, "azure_duration", a.found.azureTook, "duration", a.since(a.begun), "attempt", a.Attempt}
	return logLine(verb, slices.Concat(pairs, a.found.noStandIn, more)...)
}

// since is how long something took, as the log has it.
func (a *attempt) since(begun time.Time) string {
	return fmt.Sprintf("%.3fs", a.Now().Sub(begun).Seconds())
}

// log writes what is worth a line besides the attempt's end.
func (a *attempt) log(level LogLevel, verb string, pairs ...string) {
	common := []string{"account", a.User, "service", a.Service, "rhost", a.RemoteHost, "attempt", a.Attempt}
	a.conv.Log(level, logLine(verb, append(common, pairs...)...))
}

// debug is for the module argument of that name: which step took how long.
func (a *attempt) debug(step string, pairs ...string) {
	if a.Debug {
		a.log(LogDebug, "step", append([]string{"step", step}, pairs...)...)
	}
}
