// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"

	"aadlogin/internal/foreign"
)

// ActionDecisions are the answer of [CheckAccess]: Azure's own decisions.
type ActionDecisions []ActionDecision

// An ActionDecision is Azure's decision about one data action.
type ActionDecision struct {
	Action     string
	DataAction bool
	Word       string // "Allowed" is the only yes
	By         By
	Condition  string // of the assignment, which nobody here can evaluate
	Denied     bool   // a deny assignment was named
}

// find looks for the decision on each action. An answer about another action, or about one action
// twice, is not the answer to our question, and none of it is believed.
func (ds ActionDecisions) find(q Question) (login, admin match) {
	actions := q.Resource.Actions()
	problem := notMachine
	var logins, admins int
	if actions != (Actions{}) {
		problem = ""
	}
	for _, d := range ds {
		switch {
		case problem != "":
		case sameWord(d.Action, actions.Login):
			login = d.judge()
			logins++
		case sameWord(d.Action, actions.LoginAsAdmin):
			admin = d.judge()
			admins++
		default:
			problem = fmt.Sprintf("the answer is about another action, %q", foreign.Clip(d.Action))
		}
	}
	if problem == "" && (logins != 1 || admins != 1) {
		problem = fmt.Sprintf("the answer names the login action %d times and the "+
			"administrator's %d times", logins, admins)
	}
	if problem != "" {
		return match{why: problem}, match{why: problem}
	}
	return login, admin
}

// judge accepts only an unconditional yes.
func (d ActionDecision) judge() match {
	switch {
	case !d.DataAction:
		return refused(d.Action, "the answer is about a control action of that name")
	case d.Denied:
		return withheld(d.Action, "a deny assignment applies")
	case !sameWord(d.Word, "Allowed"):
		return refused(d.Action, fmt.Sprintf("%q", foreign.Clip(d.Word)))
	case d.Condition != "":
		return refused(d.Action, "the role assignment has a condition, which is not evaluated here")
	default:
		return allowed(d.By)
	}
}
