// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package rbac decides who may log in to this machine, and who may do so as administrator, by Azure
// role-based access control.
//
// Asking and deciding are separate:
//
//	Source.Ask ──▶ Facts ──▶ Decide ──▶ Decision
//	 (network)      (data)    (pure)
//
// A [Source] fetches facts and judges nothing. [Decide] judges facts and fetches nothing. So an
// error always means that the source could not be asked, and a [Decision] always means that it
// answered. A refusal is never taken for an outage, nor an outage for a refusal. Each source has a
// file:
//
//	source           asks                            in the name of
//	CheckAccess      Azure for the decision          the machine
//	RoleAssignments  for assignments, roles, denies  the machine
//	Permissions      for the caller's permissions    the person
//	AppRoles         nobody: the ID token says it    –
//
// The data action counts, never the role: custom roles may allow it, and Owner does not. What the
// facts leave open is a no. The first two sources agree, with one exception: only Azure can resolve
// groups. So for RoleAssignments, a deny assignment that names or excludes a group applies unless
// the person is known to be excluded. A second exception may be deny assignments that only audit:
// version 2022-04-01 is not documented to tell them apart.
//
// Permissions shows neither deny assignments nor the conditions of role assignments (2022-04-01 has
// no member for them), so it may allow what those forbid. It never allows less than the others.
//
// The requests are made without the Azure SDK, for the reasons that package azure gives. Also, the
// SDK would take the last of two members of one name, and would follow a nextLink to any host.
//
// Semantics: https://learn.microsoft.com/azure/role-based-access-control/overview
package rbac

import "context"

// A Source finds out what Azure knows about a person and a machine.
type Source interface {
	// Ask returns an error if there is no answer, not if the answer is no.
	Ask(context.Context, Question) (Facts, error)
}

// A Question is about one person and one machine.
type Question struct {
	Resource Resource
	ObjectID string // of the person, from a verified token or the store
}

// Facts are an answer that is not judged yet. Its strings are the server's, raw.
type Facts struct {
	Question      Question
	Evidence      Evidence
	CorrelationID string
}

// Evidence is what one source found out: [ActionDecisions], [Assignments], [OwnPermissions] or
// [Roles].
type Evidence interface {
	// find says whether the evidence allows login and loginAsAdmin. It is pure.
	find(Question) (login, admin match)
}

// A Decision says what the person may do, what allows it, and why not more. Its strings are the
// server's, raw, except for Reason.
type Decision struct {
	Login         bool
	Admin         bool
	Reason        string // why not Admin or not Login; server text in it is quoted
	Withheld      bool   // by a deny assignment, for that Reason: no role helps
	By                   // what allows Admin, or else Login
	CorrelationID string
}

// AskWhoDenied is what to do about a Decision that is Withheld.
const AskWhoDenied = "a deny assignment wins over every role: ask whoever made it"

// By is what allows an action, as far as the source knows.
type By struct {
	Role       string // its name, or its id
	Scope      string // where it is assigned
	Assignment string // id of the assignment
}
