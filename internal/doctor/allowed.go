// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/shell"
	"aadlogin/internal/sshd"
)

// A candidate is an account that allowed_user() of OpenSSH decides about.
type candidate struct {
	name    string
	anybody bool     // stands for every account, because the check is about nobody in particular
	groups  []string // groups that sshd finds before a sign-in
	given   []string // groups that a sign-in may add
	domains []string
}

func (h *Host) candidate(ctx context.Context, name string) candidate {
	c := candidate{name: name, anybody: name != h.Account, domains: h.Config.Domains,
		groups: []string{account.UsersGroup, name}, given: []string{account.AdminsGroup}}
	for _, group := range h.Config.Accounts.Groups {
		c.given = append(c.given, group)
	}
	if c.anybody {
		return c
	}
	text, _ := h.read("etc/group")
	c.groups = append(c.groups, memberOf(text, name)...)
	if said, err := h.Run(ctx, "id", "-Gn", "--", name); err == nil { // fails before a first sign-in
		c.groups = append(c.groups, strings.Fields(said)...)
	}
	return c
}

// memberOf returns the groups of group(5) that list the name.
func memberOf(text, name string) (groups []string) {
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(fields) == 4 && slices.Contains(strings.Split(fields[3], ","), name) {
			groups = append(groups, fields[0])
		}
	}
	return groups
}

// judgeAllowed follows the order of allowed_user(): DenyUsers, AllowUsers, DenyGroups, AllowGroups.
// sshd splits the patterns for users at an @, and not those for groups.
func judgeAllowed(set map[string][]string, who candidate, v sshd.Version,
	lines *sshd.Config) []Finding {
	findings, misread := judgeMisread(who, v, lines)
	findings = append(findings, judgeDenyUsers(set["denyusers"], who, v, lines)...)
	if !misread {
		findings = append(findings, judgeAllowUsers(set["allowusers"], who, v, lines)...)
	}
	findings = append(findings, judgeDenyGroups(set["denygroups"], who, lines)...)
	findings = append(findings, judgeAllowGroups(set["allowgroups"], who, lines)...)
	if slices.Contains(set["refuseconnection"], "yes") {
		findings = append(findings,
			failed(Machine, "RefuseConnection is yes, which keeps "+who.name+" out").
				fix("take it out of the Match block that it stands in"+
					placesOf(lines, "refuseconnection")+", "+reload))
	}
	return findings
}

// judgeMisread finds patterns that look like names of our accounts, but that sshd reads as a user
// and a host. misread reports whether such a pattern of AllowUsers was meant for this candidate.
func judgeMisread(who candidate, v sshd.Version, lines *sshd.Config) (findings []Finding,
	misread bool) {
	for _, line := range lines.With("allowusers", "denyusers") {
		for _, pattern := range line.Args {
			user, hosts, both := v.Cut(pattern)
			domain, _, _ := strings.Cut(hosts, "@")
			if !both || !slices.Contains(who.domains, domain) {
				continue
			}
			right := user + "?" + hosts
			does, instead := "DenyUsers %s denies nobody", ""
			if line.Keyword == "allowusers" {
				does = "AllowUsers %s lets nobody in"
				misread = misread || v.User(right, who.name) != sshd.Nowhere
			} else if !strings.ContainsAny(pattern, "*?") {
				instead = "; or lock the account: aadctl account lock " + shell.Word(pattern)
			}
			found := fmt.Sprintf(does+
				": sshd takes what is behind the @ for a host, and %s is none", pattern, domain)
			findings = append(findings, failed(Machine, found).fix(reload+instead).
				run(replaceWord(line, pattern, right)))
		}
	}
	return findings, misread
}

func judgeDenyUsers(patterns []string, who candidate, v sshd.Version,
	lines *sshd.Config) (findings []Finding) {
	for _, pattern := range patterns {
		switch from := v.User(pattern, who.name); from {
		case sshd.Nowhere:
		case sshd.Everywhere:
			findings = append(findings,
				keepsOut("DenyUsers", patterns, who).
					fix(takeOut(lines, "denyusers", pattern)+", "+reload).
					run(dropWord(lines, "denyusers", pattern)))
		default:
			findings = append(findings, warningf("DenyUsers %s keeps %s out where it comes from %s",
				pattern, who.name, from))
		}
	}
	return findings
}

// judgeAllowUsers proposes one more pattern. sshd adds up the lines, so the people who were let in
// before still are.
func judgeAllowUsers(patterns []string, who candidate, v sshd.Version,
	lines *sshd.Config) []Finding {
	var from []string
	for _, pattern := range patterns {
		switch hosts := v.User(pattern, who.name); hosts {
		case sshd.Nowhere:
		case sshd.Everywhere:
			return nil
		default:
			from = append(from, string(hosts))
		}
	}
	switch {
	case len(patterns) == 0:
		return nil
	case len(from) > 0:
		return []Finding{warningf("AllowUsers lets %s in from %s only", who.name,
			strings.Join(from, ", "))}
	case who.anybody && slices.ContainsFunc(patterns, who.meansOneOfUs):
		return []Finding{warningf("AllowUsers is %s: of our accounts, sshd lets nobody else in",
			strings.Join(patterns, " "))}
	}
	r := keepsOut("AllowUsers", patterns, who)
	if !who.anybody {
		return []Finding{r.fix(reload).
			run(addWord(lines, "allowusers", patterns, userPattern(who.name)))}
	}
	all := addWord(lines, "allowusers", patterns, "*?"+who.domains[0])
	one := addWord(lines, "allowusers", patterns, "alice?"+who.domains[0])
	return []Finding{r.fix("add who may come, with ? in the place of @. All accounts: " + all +
		"; one: " + one + "; " + reload)}
}

// meansOneOfUs reports whether a pattern is for names with one of our domains.
func (c candidate) meansOneOfUs(pattern string) bool {
	return slices.ContainsFunc(c.domains, func(domain string) bool {
		return strings.HasSuffix(pattern, "?"+domain) || strings.HasSuffix(pattern, "*"+domain)
	})
}

func judgeDenyGroups(patterns []string, who candidate, lines *sshd.Config) (findings []Finding) {
	for _, pattern := range patterns {
		if slices.ContainsFunc(who.groups, func(group string) bool {
			return sshd.Match(pattern, group)
		}) {
			findings = append(findings,
				keepsOut("DenyGroups", patterns, who).
					fix(takeOut(lines, "denygroups", pattern)+", "+reload).
					run(dropWord(lines, "denygroups", pattern)))
		}
	}
	return findings
}

// judgeAllowGroups proposes the smallest change. A machine that is open to some people must not
// become open to all.
func judgeAllowGroups(patterns []string, who candidate, lines *sshd.Config) []Finding {
	matches := func(groups []string) bool {
		return slices.ContainsFunc(groups, func(group string) bool {
			return slices.ContainsFunc(patterns,
				func(pattern string) bool { return sshd.Match(pattern, group) })
		})
	}
	list := strings.Join(patterns, " ")
	switch {
	case len(patterns) == 0 || matches(who.groups):
		return nil
	case matches(who.given):
		return []Finding{warningf("AllowGroups is %s: sshd lets %s in once a sign-in has brought "+
			"one of these groups", list, who.name).
			fix("who gets none of them is refused; who gets one connects a second time")}
	}
	r := keepsOut("AllowGroups", patterns, who)
	if !who.anybody {
		return []Finding{r.fix(reload).
			run(addWord(lines, "allowgroups", patterns, groupPattern(who.name)))}
	}
	all := addWord(lines, "allowgroups", patterns, account.UsersGroup)
	one := addWord(lines, "allowgroups", patterns, "alice@"+who.domains[0])
	return []Finding{r.fix("add who may come; the groups that are there stay. All accounts: " +
		all + "; one: " + one + "; " + reload)}
}

func keepsOut(keyword string, patterns []string, who candidate) Finding {
	return failedf(Machine, "%s is %s, which keeps %s out", keyword, strings.Join(patterns, " "),
		who.name)
}
