// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rbac

import "aadlogin/internal/foreign"

// Decide judges facts. Login needs the login action. Admin needs both actions, as on Azure's own
// Linux login: loginAsAdmin alone lets nobody in.
//
// Facts without a clear yes, the zero Facts among them, decide no.
func Decide(f Facts) Decision {
	d := Decision{CorrelationID: f.CorrelationID}
	if f.Evidence == nil {
		d.Reason = "nobody was asked"
		return d
	}
	login, admin := f.Evidence.find(f.Question)
	if !login.allowed {
		d.Reason, d.Withheld = login.why, login.withheld
		return d
	}
	d.Login, d.By = true, login.by
	if !admin.allowed {
		d.Reason, d.Withheld = admin.why, admin.withheld
		return d
	}
	d.Admin, d.By = true, admin.by
	return d
}

// A match is what evidence says about one action. The zero match is no.
type match struct {
	allowed  bool
	by       By
	why      string // why it is not allowed
	withheld bool   // by a deny assignment
}

func allowed(by By) match { return match{allowed: true, by: by} }

func refused(action, why string) match { return match{why: foreign.Clip(action) + ": " + why} }

// withheld refuses what a deny assignment forbids.
func withheld(action, why string) match {
	m := refused(action, why)
	m.withheld = true
	return m
}

const notMachine = "not a machine that Azure roles can be assigned on"

// each calls find for both actions.
func each(q Question, find func(action string) match) (login, admin match) {
	actions := q.Resource.Actions()
	if actions == (Actions{}) {
		return match{why: notMachine}, match{why: notMachine}
	}
	return find(actions.Login), find(actions.LoginAsAdmin)
}
