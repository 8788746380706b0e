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
// nor an outage for a refusal. There is one file a source:
//
//	source           asks                            in the name of
//	CheckAccess      Azure for the decision          the machine
//	RoleAssignments  for assignments, roles, denies  the machine
//	Permissions      for the caller's permissions    the person
//	AppRoles         nobody: the ID token says it    –
//
// What counts is the data action, never the role: custom roles may grant it,
// and Owner does not. Whatever the facts leave open is a no. The first two
// agree, with one exception: groups can only be resolved by Azure, so a deny
// assignment that names or excludes a group counts for RoleAssignments unless
// the person is known to be excluded. Permissions shows neither deny
// assignments nor the conditions of role assignments (2022-04-01 has no member
// for them), so it may grant what those forbid, and never less than the others.
//
// The requests are written out rather than made with the Azure SDK, for the
// reasons that package azure gives; beside those, the SDK would take the last
// of two members of one name, and follow a nextLink wherever it leads.
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
type Facts struct {
	Question      Question
	Evidence      Evidence
	CorrelationID string
}

// Evidence is what one source found out: [ActionDecisions], [Assignments],
// [OwnPermissions] or [Roles].
type Evidence interface {
	// find says whether the evidence grants login and loginAsAdmin. It is pure.
	find(Question) (login, admin match)
}

// A Decision says what the person may do, by what, and why not more. Its
// strings are the server's, raw, but for Reason.
type Decision struct {
	Login         bool
	Admin         bool
	Reason        string // why not Admin or not Login; server text in it is quoted
	By                   // what grants it: Admin if it is granted, else Login
	CorrelationID string
}

// By is what grants an action, as far as the source knows.
type By struct {
	Role       string // its name, or its id
	Scope      string // where it is assigned
	Assignment string // id of the assignment
}
