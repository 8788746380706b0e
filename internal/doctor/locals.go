// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// For a name that is not ours, pam_aad.so returns PAM_USER_UNKNOWN in auth, setcred included, and
// PAM_IGNORE in the other types (pam/door.c). A control that turns this value into a failure keeps
// the machine's own users out. PAM's words "required" and "requisite" do so in auth. A control with
// default=die and no action for the value does so in every type.

// shutOut finds such lines in all services.
func (h *Host) shutOut() (findings []Finding) {
	told := map[position]bool{}
	for _, service := range append(h.pamServices(), "other") {
		all := stack(h.service, service, "", 0)
		for _, kind := range []string{"auth", "account", "session", "password"} {
			rules := of(all, kind)
			for i, r := range rules {
				if r.ours() && r.keepsLocalsOut() && !told[r.at] &&
					!slices.ContainsFunc(rules[:i], endsForLocals) {
					told[r.at] = true
					findings = append(findings, r.tellOf(guarded(rules[i+1:])))
				}
			}
		}
	}
	return findings
}

// keepsLocalsOut reports whether the control turns the value for a local user into a failure. In
// auth, a jump does: for setcred, libpam counts the value of our module where it jumps, and that
// value is not success.
func (r rule) keepsLocalsOut() bool {
	if r.kind == "auth" {
		action := r.action("user_unknown")
		return action != "ignore" && action != "reset"
	}
	return slices.Contains([]string{"die", "bad", "ok", "done"}, r.action("ignore"))
}

// endsForLocals reports whether local users never get past this line.
func endsForLocals(r rule) bool {
	return strings.HasSuffix(r.module, "pam_localuser.so") && r.action("success") == "done"
}

// tellOf says what is wrong. It prints the right line and the command that writes it.
func (r rule) tellOf(guarded bool) Finding {
	what := map[string]string{"auth": "authenticate", "account": "log in", "session": "log in",
		"password": "change their passwords"}
	right := r.right(guarded)
	finding := failedf(Machine,
		"%s: with control %s in front of pam_aad.so, accounts of this machine cannot %s",
		r.at, r.control, what[r.kind]).
		fix("the line should be: " + right)
	if r.at.nextOne != r.at.line+1 || strings.ContainsAny(right, `'|&\`) ||
		strings.ContainsAny(r.at.file, " '") {
		return finding // to be edited by hand
	}
	return finding.run(fmt.Sprintf("sed -i --follow-symlinks '%ds|.*|%s|' %s",
		r.at.line, right, r.at.file))
}

// right returns the rule as it should be. It has the package's own control if the line behind it is
// the package's own, too.
func (r rule) right(guarded bool) string {
	control := map[string]string{"auth": controlOf(ownAuth),
		"account": "[success=ok ignore=ignore default=die]", "session": "optional",
		"password": "optional"}[r.kind]
	if r.kind == "account" && guarded {
		control = controlOf(ownAccount)
	}
	return strings.Join(append([]string{r.kind, control, r.module}, r.args...), " ")
}

func controlOf(line string) string { return bracketed(line)[1] }
