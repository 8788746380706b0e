// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A rule is one line of a PAM stack, after its includes.
type rule struct {
	kind    string // auth, account, session
	control string // as written
	module  string
	args    []string
	sub     string // the substacks that contain it, outermost first, each with a blank behind it
	at      position
}

// A position is the line of a rule in a file, and the number of the next line: a rule may span
// several.
type position struct {
	file          string
	line, nextOne int
}

func (a position) String() string { return fmt.Sprintf("%s:%d", a.file, a.line) }

// continued stands for the end of a line that continues in the next one.
const continued = "\x00"

// maxIncludes is deeper than any sensible stack.
const maxIncludes = 8

// stack returns the rules that libpam makes of a file in /etc/pam.d (pam.conf(5)): it replaces
// every include by the contents of the file. A missing file adds nothing here. libpam makes a rule
// of it that fails, which another check reports. sub is the surrounding substack.
func stack(read func(service string) (file, text string, err error), service, sub string,
	depth int) (rules []rule) {
	file, text, err := read(service)
	if err != nil || depth > maxIncludes {
		return nil
	}
	number := 1
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", continued)) {
		at := position{file, number, number + 1 + strings.Count(line, continued)}
		number = at.nextOne
		line, _, _ = strings.Cut(strings.ReplaceAll(line, continued, " "), "#")
		words := bracketed(line)
		switch {
		case len(words) == 2 && words[0] == "@include":
			rules = append(rules, stack(read, words[1], sub, depth+1)...)
		case len(words) < 3:
		case words[1] == "include" || words[1] == "substack":
			inner := sub
			if words[1] == "substack" {
				inner += fmt.Sprintf("%s:%d ", service, at.line)
			}
			for _, r := range stack(read, words[2], inner, depth+1) {
				if r.kind == kindOf(words[0]) {
					rules = append(rules, r)
				}
			}
		default:
			rules = append(rules, rule{kindOf(words[0]), words[1], words[2], words[3:], sub, at})
		}
	}
	return rules
}

// kindOf drops the dash that keeps libpam from logging a missing module.
func kindOf(word string) string { return strings.ToLower(strings.TrimPrefix(word, "-")) }

func (r rule) ours() bool { return strings.HasSuffix(r.module, "pam_aad.so") }

// common reports whether a rule is in one of the stacks that Debian's services share.
func (r rule) common() bool { return strings.HasPrefix(r.at.file, "/etc/pam.d/common-") }

// action returns what a rule does about a return value: ignore, ok, bad, die, done, or a number of
// rules to jump over.
func (r rule) action(value string) string {
	switch strings.ToLower(r.control) {
	case "required":
		return cond(value, "ok", "bad")
	case "requisite":
		return cond(value, "ok", "die")
	case "sufficient":
		return cond(value, "done", "ignore")
	case "optional":
		return cond(value, "ok", "ignore")
	}
	action := "bad" // for a value without an action
	for _, pair := range strings.Fields(strings.Trim(r.control, "[]")) {
		switch name, does, _ := strings.Cut(pair, "="); name {
		case value:
			return does
		case "default":
			action = does
		}
	}
	return action
}

// cond returns the action of one of the four words. The value PAM_IGNORE never counts.
func cond(value, success, failure string) string {
	switch value {
	case "success", "new_authtok_reqd":
		return success
	case "ignore":
		return "ignore"
	default:
		return failure
	}
}

// reached follows a stack as an account of ours would. It assumes that every module before ours
// succeeds, except those that always refuse our accounts. It returns the index of our rule, or -1.
func reached(rules []rule) int {
	for i := 0; i < len(rules); i++ {
		r := rules[i]
		if r.ours() {
			return i
		}
		value := "success"
		if refusesUs(r) {
			value = "auth_err"
		}
		switch action := r.action(value); action {
		case "done", "die":
			if r.sub == "" {
				return -1
			}
			// It ends only its substack.
			for i+1 < len(rules) && strings.HasPrefix(rules[i+1].sub, r.sub) {
				i++
			}
		default:
			if n, err := strconv.Atoi(action); err == nil && n > 0 {
				i = jump(rules, i, n)
			}
		}
	}
	return -1
}

// jump returns the last rule that a jump over n modules passes over. To libpam, a substack is one
// module, and the end of a substack ends the jump.
func jump(rules []rule, at, n int) int {
	sub := rules[at].sub
	inside := func(sub string) bool {
		return at+1 < len(rules) && strings.HasPrefix(rules[at+1].sub, sub)
	}
	for ; n > 0 && inside(sub); n-- {
		at++
		whole, _, found := strings.Cut(rules[at].sub[len(sub):], " ")
		for found && inside(sub+whole+" ") {
			at++
		}
	}
	return at
}

// refusesUs reports whether a module refuses our accounts. They have no password, no fingerprint
// and no line in /etc/passwd, and are neither root nor system accounts.
func refusesUs(r rule) bool {
	switch name := r.module[strings.LastIndex(r.module, "/")+1:]; name {
	case "pam_deny.so", "pam_localuser.so", "pam_rootok.so", "pam_fprintd.so":
		return true
	case "pam_usertype.so":
		return slices.Contains(r.args, "issystem")
	case "pam_succeed_if.so":
		return strings.Contains(strings.Join(r.args, " "), "uid < ")
	}
	return r.kind == "auth" && asksPassword(r)
}

func asksPassword(r rule) bool {
	for _, name := range []string{"pam_unix.so", "pam_sss.so", "pam_krb5.so",
		"pam_ldap.so", "pam_winbind.so"} {
		if strings.HasSuffix(r.module, name) {
			return true
		}
	}
	return false
}
