// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import (
	"fmt"
	"strings"
)

// Decide judges facts. Login needs the login action; Admin needs both, as on
// Azure's own Linux login: loginAsAdmin alone lets nobody in.
//
// The zero Facts, like any other without a clear yes, decide no.
func Decide(f Facts) Decision {
	d := Decision{CorrelationID: f.CorrelationID}
	actions := f.Question.Resource.Actions()
	login, admin, problem := pair(f.Verdicts, actions)
	if problem != "" {
		d.Reason = problem
		return d
	}
	if d.Reason = login.whyNot(); d.Reason != "" {
		return d
	}
	d.Login, d.Role, d.Scope = true, login.Role, login.Scope
	if d.Reason = admin.whyNot(); d.Reason == "" {
		d.Admin = true
	}
	return d
}

// pair finds the verdict on each action. An answer about anything else, or
// about one thing twice, is not the answer to our question, and none of it is
// believed.
func pair(verdicts []Verdict, actions Actions) (login, admin Verdict, problem string) {
	if actions == (Actions{}) {
		return login, admin, "not a machine that Azure roles can be assigned on"
	}
	var logins, admins int
	for _, v := range verdicts {
		switch {
		case sameWord(v.Action, actions.Login):
			login = v
			logins++
		case sameWord(v.Action, actions.LoginAsAdmin):
			admin = v
			admins++
		default:
			return Verdict{}, Verdict{}, fmt.Sprintf("the answer is about another action, %q", clip(v.Action))
		}
	}
	if logins != 1 || admins != 1 {
		return Verdict{}, Verdict{}, fmt.Sprintf("the answer names the login action %d times and the administrator's %d times", logins, admins)
	}
	return login, admin, ""
}

// whyNot returns "" for an unconditional yes.
func (v Verdict) whyNot() string {
	var why string
	switch {
	case !v.DataAction:
		why = "the answer is about a control action of that name"
	case v.Denied:
		why = "a deny assignment applies"
	case !sameWord(v.Word, "Allowed"):
		why = fmt.Sprintf("%q", clip(v.Word))
	case v.Condition != "":
		why = "the role assignment has a condition, which is not evaluated here"
	default:
		return ""
	}
	return clip(v.Action) + ": " + why
}

// clip keeps a server from filling the log with one word.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
