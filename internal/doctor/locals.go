// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"
)

// What pam_aad.so returns for a name that is none of ours, by the type of the line (pam/door.c): in
// auth, setcred included, PAM_USER_UNKNOWN, and else PAM_IGNORE. A control that makes a failure of
// it keeps the machine's own users out. PAM's words "required" and "requisite" do that in auth;
// default=die without a word about the value does it everywhere.

// shutOut finds such lines, in whatever service.
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

// keepsLocalsOut: a jump in auth, too. Where setcred takes it, libpam has what our module returned
// count, and it is no success.
func (r rule) keepsLocalsOut() bool {
	if r.kind == "auth" {
		action := r.action("user_unknown")
		return action != "ignore" && action != "reset"
	}
	return slices.Contains([]string{"die", "bad", "ok", "done"}, r.action("ignore"))
}

// endsForLocals: behind this line there are no local users any more.
func endsForLocals(r rule) bool {
	return strings.HasSuffix(r.module, "pam_localuser.so") && r.action("success") == "done"
}

// tellOf says what is wrong and prints the line that is right, and a command that puts it there.
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
		return finding // by hand
	}
	return finding.run(fmt.Sprintf("sed -i --follow-symlinks '%ds|.*|%s|' %s",
		r.at.line, right, r.at.file))
}

// right is the rule as it should be: with the package's own control, where what stands behind the
// line is the package's, too.
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
