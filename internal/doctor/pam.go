// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/shell"
)

// These are the package's own lines (packaging/pam-configs), for stacks that are kept by hand.
const (
	ownAuth    = "auth [success=done user_unknown=ignore ignore=ignore default=die] pam_aad.so"
	ownAccount = "account [success=1 ignore=1 module_unknown=ignore default=die] pam_aad.so"
	ownGuard   = "account requisite pam_succeed_if.so quiet user notingroup aad_users"
	ownSession = "session optional pam_aad.so"
)

// rewire adds the command that puts the package's own lines back. On Debian, pam-auth-update keeps
// the stacks. Elsewhere the package knows whether authselect, pam-config or nobody does.
func (h *Host) rewire(r Finding, words string) Finding {
	switch {
	case h.exists(wiring):
		return r.fix(words).run(wiring + " add")
	case !h.edited():
		return r.fix(words).run("pam-auth-update --enable aad-login")
	}
	undoes := "the command undoes what was edited by hand in the stacks common-*"
	if words != "" {
		undoes += "; " + words
	}
	return r.fix(undoes).run("pam-auth-update --force --enable aad-login")
}

const wiring = "/usr/share/aad-login/wiring"

func (h *Host) pam(context.Context) (findings []Finding) {
	for _, service := range []string{"sshd", "sudo", "login"} {
		if _, _, err := h.service(service); err != nil {
			continue // the program is not installed
		}
		rules := stack(h.service, service, "", 0)
		before := len(findings)
		findings = append(findings, h.judgeAuth(service, of(rules, "auth"))...)
		findings = append(findings, h.judgeAccount(service, of(rules, "account"))...)
		if service != "sudo" { // sudo opens no session for the person
			findings = append(findings, h.judgeSession(service, of(rules, "session"))...)
		}
		findings = append(findings, h.sameFile(service, rules)...)
		if len(findings) == before {
			findings = append(findings, ok("/etc/pam.d/%s asks pam_aad.so, and takes its answer",
				service))
		}
	}
	if findings == nil {
		findings = []Finding{failed(Machine, "there is no /etc/pam.d/sshd, sudo or login").
			fix("sshd, sudo and login bring these files; without them nobody logs in in any way").
			run("ls -l /etc/pam.d")}
	}
	return append(together(findings), h.shutOut()...)
}

// together merges findings that several services have in common: they share the stack that is
// wrong.
func together(all []Finding) (findings []Finding) {
	what := func(r Finding) string {
		_, rest, _ := strings.Cut(strings.TrimPrefix(r.Found, "/etc/pam.d/"), ", ")
		return rest
	}
	for _, r := range all {
		same := func(other Finding) bool {
			return other.Command == r.Command && other.Fix == r.Fix && what(other) == what(r)
		}
		first := slices.IndexFunc(findings, same)
		if r.Status == OK || first < 0 || !strings.HasPrefix(r.Found, "/etc/pam.d/") {
			findings = append(findings, r)
			continue
		}
		service, _, _ := strings.Cut(strings.TrimPrefix(r.Found, "/etc/pam.d/"), ",")
		findings[first].also = append(findings[first].also, service)
	}
	for i, r := range findings {
		if len(r.also) > 0 {
			findings[i].Found += " (as in " + strings.Join(r.also, " and ") + ")"
		}
	}
	return findings
}

// pamDirs are the directories in which libpam looks for a service. The first one that has it
// counts.
var pamDirs = []string{"etc/pam.d", "usr/lib/pam.d", "usr/etc/pam.d"}

// HasStack reports whether a service has a file of its own. A service without one uses the file
// "other".
func (s System) HasStack(service string) bool {
	_, _, err := (&Host{System: s}).service(strings.ToLower(service))
	return !errors.Is(err, fs.ErrNotExist)
}

// service reads the file of a service as libpam finds it. A distribution's file outside /etc counts
// only if /etc has none.
func (h *Host) service(name string) (file, text string, err error) {
	if strings.HasPrefix(name, "/") {
		text, err = h.read(name)
		return name, text, err
	}
	for _, dir := range pamDirs {
		file = path.Join("/", dir, name)
		if text, err = h.read(file); !errors.Is(err, fs.ErrNotExist) {
			return file, text, err
		}
	}
	return file, text, err
}

func of(rules []rule, kind string) []rule {
	return slices.DeleteFunc(slices.Clone(rules), func(r rule) bool { return r.kind != kind })
}

// missing returns the finding for a stack that does not contain our line, or never reaches it.
func (h *Host) missing(service string, rules []rule, own string) Finding {
	kind := own[:strings.Index(own, " ")]
	if slices.ContainsFunc(rules, rule.ours) {
		return failedf(Machine,
			"/etc/pam.d/%s, %s: a line before pam_aad.so ends the stack, and it is not asked",
			service, kind).
			fix(fmt.Sprintf("move this line to the top of %s: %s", kind, own))
	}
	words := "where this stack includes none that other services share, add the line: " + own
	if slices.ContainsFunc(rules, rule.common) { // then the command is all that is needed
		words = ""
	}
	return h.rewire(failedf(Machine, "/etc/pam.d/%s, %s: pam_aad.so is not asked", service, kind),
		words)
}

// judgeAuth checks that a successful sign-in counts, that a refusal ends the stack, and that no
// password is asked for before.
func (h *Host) judgeAuth(service string, rules []rule) (findings []Finding) {
	at := reached(rules)
	if at < 0 {
		return []Finding{h.missing(service, rules, ownAuth)}
	}
	wrong := func(what string) Finding {
		return h.rewire(failedf(Machine, "/etc/pam.d/%s, auth: with control %s %s",
			service, rules[at].control, what),
			"the line should be: "+ownAuth)
	}
	if action := rules[at].action("success"); action == "ignore" ||
		action == "bad" || action == "die" {
		findings = append(findings, wrong("a sign-in does not count"))
	}
	if action := rules[at].action("perm_denied"); action != "die" && action != "bad" {
		findings = append(findings,
			wrong("a refusal does not count, and the modules below may let in"))
	}
	if slices.ContainsFunc(rules[:at], asksPassword) {
		findings = append(findings,
			warningf("/etc/pam.d/%s, auth: another module asks for a password before pam_aad.so",
				service).
				fix("move the line of pam_aad.so above it"))
	}
	return findings
}

// judgeAccount checks that a refusal counts. With a public key, only this phase asks for the role.
func (h *Host) judgeAccount(service string, rules []rule) []Finding {
	at := reached(rules)
	if at < 0 {
		return []Finding{h.missing(service, rules, ownAccount)}
	}
	wrong := func(what string) []Finding {
		return []Finding{h.rewire(failedf(Machine, "/etc/pam.d/%s, account: with control %s %s",
			service, rules[at].control, what),
			"the line should be: "+ownAccount)}
	}
	if action := rules[at].action("perm_denied"); action != "die" && action != "bad" {
		return wrong("a refusal does not count: a public key lets in who has no role")
	}
	if rules[at].action("module_unknown") == "ignore" && !guarded(rules[at+1:]) {
		return []Finding{h.rewire(warning("/etc/pam.d/"+service+
			", account: module_unknown=ignore, and nothing behind it: "+
			"should pam_aad.so be missing one day, a public key lets in our accounts unasked"),
			"the line behind it should be: "+ownGuard)}
	}
	return nil
}

// guarded reports whether the next line refuses our accounts. It is jumped over when pam_aad.so has
// answered.
func guarded(behind []rule) bool {
	return len(behind) > 0 && strings.HasSuffix(behind[0].module, "pam_succeed_if.so") &&
		strings.HasSuffix(strings.Join(behind[0].args, " "), "notingroup "+account.UsersGroup)
}

func (h *Host) judgeSession(service string, rules []rule) (findings []Finding) {
	if !slices.ContainsFunc(rules, rule.ours) {
		findings = append(findings, h.missing(service, rules, ownSession))
	}
	if !slices.ContainsFunc(rules, func(r rule) bool {
		return strings.Contains(r.module, "mkhomedir")
	}) {
		findings = append(findings,
			warningf("/etc/pam.d/%s, session: nothing makes home directories", service).
				fix("add the line: session optional pam_mkhomedir.so umask=0077"))
	}
	return findings
}

// sameFile finds a pam_aad.so that reads another configuration than the one checked here.
func (h *Host) sameFile(service string, rules []rule) []Finding {
	for _, r := range rules {
		for _, argument := range r.args {
			if path, set := strings.CutPrefix(argument, "config="); r.ours() &&
				set && path != h.configPath() {
				other := fmt.Sprintf("/etc/pam.d/%s: pam_aad.so reads %s, and this checks %s",
					service, path, h.configPath())
				return []Finding{failed(Configuration, other).
					fix("check that file").run("aadctl check --config " + shell.Word(path))}
			}
		}
	}
	return nil
}

func (h *Host) configPath() string {
	if h.ConfigPath == "" {
		return config.DefaultPath
	}
	return h.ConfigPath
}
