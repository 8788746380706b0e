// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/foreign"
)

// A Deny is a deny assignment. It wins over every role.
// https://learn.microsoft.com/azure/role-based-access-control/deny-assignments
type Deny struct {
	Name        string
	Scope       string
	NotBelow    bool   // doNotApplyToChildScopes
	Effect      string // "audit" withholds nothing; "" from versions before 2024-07-01-preview
	Permissions []Permission
	Principals  []Principal
	Excluded    []Principal
}

// everyone is the id of the principal that stands for all principals.
const everyone = "00000000-0000-0000-0000-000000000000"

// denied describes the deny assignment that applies, or returns "". What cannot be understood of a
// deny assignment counts against the person: a missing scope or missing permissions, a principal of
// an unknown kind, a group of unknown members. So does a condition, which is why it is not even
// read.
func (as Assignments) denied(q Question, action string) string {
	for i := range as.Denies {
		y := &as.Denies[i]
		if sameWord(y.Effect, "audit") || y.elsewhere(q.Resource) || !y.withholds(action) {
			continue
		}
		if who := as.named(y, q); who != "" && !as.excluded(y, q) {
			return fmt.Sprintf("the deny assignment %q at %q applies to %s",
				foreign.Clip(y.Name), foreign.Clip(y.Scope), who)
		}
	}
	return ""
}

func (y *Deny) elsewhere(r Resource) bool {
	if y.NotBelow {
		return y.Scope != "" && !sameWord(strings.TrimSuffix(y.Scope, "/"), r.id)
	}
	return y.Scope != "" && !covers(y.Scope, r)
}

func (y *Deny) withholds(action string) bool {
	return len(y.Permissions) == 0 || slices.ContainsFunc(y.Permissions,
		func(p Permission) bool { return p.covers(action) })
}

// named returns how the deny assignment matches the person, or "" if it does not.
func (as Assignments) named(y *Deny, q Question) string {
	if len(y.Principals) == 0 {
		return "nobody it names"
	}
	for _, p := range y.Principals {
		switch {
		case sameWord(p.ID, everyone):
			return "everyone"
		case p.is(q.ObjectID):
			return "the person"
		case sameWord(p.Type, "User"), sameWord(p.Type, "ServicePrincipal"):
		case as.inGroup(p.ID):
			return fmt.Sprintf("a group of the person's, %q", foreign.Clip(p.ID))
		default:
			return fmt.Sprintf("%q, whose members cannot be told here", foreign.Clip(p.ID))
		}
	}
	return ""
}

func (as Assignments) excluded(y *Deny, q Question) bool {
	return slices.ContainsFunc(y.Excluded, func(p Principal) bool {
		return p.is(q.ObjectID) || as.inGroup(p.ID)
	})
}
