// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import "fmt"

// Verdicts are Azure's finished judgement, of [CheckAccess].
type Verdicts []Verdict

// A Verdict is Azure's word on one data action.
type Verdict struct {
	Action     string
	DataAction bool
	Word       string // "Allowed" is the only yes
	By         By
	Condition  string // of the assignment, which nobody here can evaluate
	Denied     bool   // a deny assignment was named
}

// find looks for the verdict on each action. An answer about anything else, or
// about one thing twice, is not the answer to our question, and none of it is
// believed.
func (vs Verdicts) find(q Question) (login, admin finding) {
	actions := q.Resource.Actions()
	problem := notMachine
	var logins, admins int
	if actions != (Actions{}) {
		problem = ""
	}
	for _, v := range vs {
		switch {
		case problem != "":
		case sameWord(v.Action, actions.Login):
			login = v.judge()
			logins++
		case sameWord(v.Action, actions.LoginAsAdmin):
			admin = v.judge()
			admins++
		default:
			problem = fmt.Sprintf("the answer is about another action, %q", clip(v.Action))
		}
	}
	if problem == "" && (logins != 1 || admins != 1) {
		problem = fmt.Sprintf("the answer names the login action %d times and the administrator's %d times", logins, admins)
	}
	if problem != "" {
		return finding{why: problem}, finding{why: problem}
	}
	return login, admin
}

// judge takes nothing for a yes but an unconditional one.
func (v Verdict) judge() finding {
	switch {
	case !v.DataAction:
		return refused(v.Action, "the answer is about a control action of that name")
	case v.Denied:
		return refused(v.Action, "a deny assignment applies")
	case !sameWord(v.Word, "Allowed"):
		return refused(v.Action, fmt.Sprintf("%q", clip(v.Word)))
	case v.Condition != "":
		return refused(v.Action, "the role assignment has a condition, which is not evaluated here")
	default:
		return granted(v.By)
	}
}
