// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
)

// This is Azure RBAC as https://learn.microsoft.com/azure/role-based-access-control/overview
// describes it. A role allows its actions minus its own notActions. Roles add up, and a deny
// assignment overrides them all. Groups are transitive. A scope covers everything below it.

// A question asks whether a subject may do one thing to one resource.
type question struct {
	subject  []string // object ids of the principal and its groups
	action   string
	data     bool // a data action
	resource string
}

// A decision is the answer to a question, with the assignment that decided.
type decision struct {
	word       string // Allowed, NotAllowed, Denied
	assignment *Assignment
	role       Role
	deny       *Deny
}

// decide answers a question. An assignment with a condition counts only if none without one allows
// the action. Conditions are not evaluated here: the caller sees that there is one.
func (d *Directory) decide(q question) decision {
	for i := range d.Denies {
		if d.denies(&d.Denies[i], q) {
			return decision{word: "Denied", deny: &d.Denies[i]}
		}
	}
	v := decision{word: "NotAllowed"}
	for i := range d.Assignments {
		a := &d.Assignments[i]
		role, ok := d.role(a.Role)
		if !ok || !d.names(a.Principal, q.subject) || !d.covers(a.Scope, q.resource) ||
			!role.allows(q) {
			continue
		}
		if a.Condition == "" {
			return decision{word: "Allowed", assignment: a, role: role}
		}
		v = decision{word: "Allowed", assignment: a, role: role}
	}
	return v
}

// subject returns the object id and those of all its groups.
func (d *Directory) subject(oid string) []string {
	return append([]string{oid}, d.memberOf(oid)...)
}

// names reports whether a principal, by name or object id, is in the subject.
func (d *Directory) names(who string, subject []string) bool {
	if p, ok := d.principal(who); ok {
		who = p.oid
	}
	return slices.ContainsFunc(subject, func(oid string) bool {
		return strings.EqualFold(oid, who)
	})
}

func (d *Directory) denies(y *Deny, q question) bool {
	named := func(who string) bool { return who == everyone || d.names(who, q.subject) }
	at := d.covers(y.Scope, q.resource)
	if y.DoNotApplyToChildScopes {
		at = plainScope(y.Scope) == plainScope(q.resource)
	}
	what := Role{Actions: y.Actions, NotActions: y.NotActions, DataActions: y.DataActions,
		NotDataActions: y.NotDataActions}
	return at && slices.ContainsFunc(y.Principals, named) &&
		!slices.ContainsFunc(y.Exclude, named) && what.allows(q)
}

// allows reports whether this one role allows what the question asks.
func (r Role) allows(q question) bool {
	yes, no := r.Actions, r.NotActions
	if q.data {
		yes, no = r.DataActions, r.NotDataActions
	}
	match := func(pattern string) bool { return matches(pattern, q.action) }
	return slices.ContainsFunc(yes, match) && !slices.ContainsFunc(no, match)
}

// covers reports whether the scope is the resource or contains it.
func (d *Directory) covers(scope, resource string) bool {
	scope, resource = plainScope(scope), plainScope(resource)
	group, ok := strings.CutPrefix(scope, "/providers/microsoft.management/managementgroups/")
	if ok {
		return slices.ContainsFunc(d.ManagementGroups,
			func(g string) bool { return strings.EqualFold(g, group) })
	}
	return resource == scope || strings.HasPrefix(resource, scope+"/")
}

func plainScope(s string) string { return strings.ToLower(strings.TrimRight(s, "/")) }

// matches compares an action with a pattern. In it, * stands for any characters, including slashes.
func matches(pattern, action string) bool {
	pattern, action = strings.ToLower(pattern), strings.ToLower(action)
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == action
	}
	action, ok := strings.CutPrefix(action, first)
	for ok && strings.Contains(rest, "*") {
		first, rest, _ = strings.Cut(rest, "*")
		_, action, ok = strings.Cut(action, first) // the earliest match leaves the most
	}
	return ok && strings.HasSuffix(action, rest)
}

// Access returns what a person may do on the machine, in words.
func (d *Directory) Access(u User) string {
	ask := func(verb string) bool {
		return d.decide(question{d.subject(u.ObjectID), "Microsoft.Compute/virtualMachines/" +
			verb + "/action", true, d.Machine.ResourceID}).word == "Allowed"
	}
	switch {
	case ask("login") && ask("loginAsAdmin"):
		return "administrator"
	case ask("login"):
		return "user"
	default:
		return "no role"
	}
}
