// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package rbac decides who may log in to this machine, and who as
// administrator, by Azure role-based access control.
//
// Asking and deciding are two things:
//
//	Source.Ask ──▶ Facts ──▶ Decide ──▶ Decision
//	 (network)      (data)    (pure)
//
// A [Source] fetches facts and judges nothing; [Decide] judges facts and
// fetches nothing. So an error always means "could not ask" and a [Decision]
// always means somebody answered: a refusal is never mistaken for an outage,
// nor an outage for a refusal. There is one file a source.
//
// What counts is the data action, never the role: custom roles may grant it,
// and Owner does not. Whatever the facts leave open is a no.
//
// Semantics: https://learn.microsoft.com/azure/role-based-access-control/overview
package rbac

import "context"

// A Source finds out what Azure knows about a person and a machine.
type Source interface {
	// Ask errs when there is no answer, not when the answer is no.
	Ask(context.Context, Question) (Facts, error)
}

// A Question is about one person and one machine.
type Question struct {
	Resource Resource
	ObjectID string // of the person, from a verified token or the store
}

// Facts are an answer, not yet judged. Its strings are the server's, raw.
//
// A source that is given finished verdicts fills in Verdicts. Sources that
// are given role definitions and deny assignments get fields of their own
// here, and Decide turns those into a verdict for each action first.
type Facts struct {
	Question      Question
	Verdicts      []Verdict
	CorrelationID string
}

// A Verdict is Azure's word on one data action.
type Verdict struct {
	Action     string
	DataAction bool
	Word       string // "Allowed" is the only yes
	Role       string // role definition that allows it
	Scope      string // where that role is assigned
	Condition  string // of the assignment, which nobody here can evaluate
	Denied     bool   // a deny assignment was named
}

// A Decision says what the person may do, and why not more. Scope, Role and
// CorrelationID are the server's, raw.
type Decision struct {
	Login         bool
	Admin         bool
	Reason        string // why not Admin or not Login; server text in it is quoted
	Role          string // role definition that grants the login
	Scope         string // where it is assigned
	CorrelationID string
}
