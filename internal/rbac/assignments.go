// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

// Assignments are what [RoleAssignments] lists: what Azure's own decision is made of.
type Assignments struct {
	Roles       map[string]Role // by the last segment of their id, lower case
	Assignments []Assignment    // of the person and of the person's groups
	Denies      []Deny          // of all principals
}

// A Role is a role definition.
type Role struct {
	Name        string       `json:"roleName"`
	Permissions []Permission `json:"permissions"`
}

// An Assignment gives a principal a role at a scope.
type Assignment struct {
	ID        string
	Role      string // key in Roles
	Principal Principal
	Scope     string
	Condition string // which cannot be evaluated here
}

// A Principal has a role assigned, or is named by a deny assignment.
type Principal struct {
	ID   string `json:"id"`
	Type string `json:"type"` // User, Group, ForeignGroup, ServicePrincipal, SystemDefined, …
}

func (p Principal) is(objectID string) bool { return objectID != "" && sameWord(p.ID, objectID) }

func (p Principal) group() bool {
	return sameWord(p.Type, "Group") || sameWord(p.Type, "ForeignGroup")
}

// find lets a deny assignment win. Otherwise any one role is enough.
func (as Assignments) find(q Question) (login, admin match) {
	return each(q, func(action string) match {
		if why := as.denied(q, action); why != "" {
			return withheld(action, why)
		}
		return as.allowed(q, action)
	})
}

func (as Assignments) allowed(q Question, action string) match {
	reaches := make(map[string]reach)
	for id, role := range as.Roles {
		if r := reachOf(role.Permissions, action); r != none {
			reaches[id] = r
		}
	}
	best := none
	condition := false
	for i := range as.Assignments {
		a := &as.Assignments[i]
		r := reaches[a.Role]
		switch {
		case r == none || !a.about(q):
		case a.Condition != "":
			condition = true
		case r == full:
			return allowed(By{as.nameOf(a.Role), a.Scope, a.ID})
		default:
			best = r
		}
	}
	if condition {
		return refused(action, "the role assignment has a condition, which is not evaluated here")
	}
	return refused(action, best.why())
}

// about reports whether the assignment is for this person at this machine. Azure was asked for only
// those, but an assignment that is plainly about somebody else or another place is not believed.
// For group membership Azure's word counts.
func (a *Assignment) about(q Question) bool {
	return covers(a.Scope, q.Resource) && (a.Principal.is(q.ObjectID) || a.Principal.group())
}

func (as Assignments) nameOf(role string) string {
	if name := as.Roles[role].Name; name != "" {
		return name
	}
	return role
}

// inGroup reports whether the person is in a group. A role assignment that Azure says the person
// has through the group proves it.
func (as Assignments) inGroup(id string) bool {
	for i := range as.Assignments {
		p := as.Assignments[i].Principal
		if p.group() && p.is(id) {
			return true
		}
	}
	return false
}
