// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
	"aadlogin/internal/shell"
	"aadlogin/internal/signin"
)

// Person checks one account: its name, its entry in the name service, its owner, and whether it
// would be let in. probe is nil if Azure cannot be asked.
func (h *Host) Person(ctx context.Context, probe *signin.Probe, tell func([]Finding)) {
	acct, findings := h.person()
	tell(named("account", findings))
	tell(examine(ctx, "entry", func(ctx context.Context) []Finding { return h.entry(ctx, acct) }))
	tell(examine(ctx, "grant", func(context.Context) []Finding {
		return h.grant(acct, time.Now())
	}))
	tell(examine(ctx, "access", func(ctx context.Context) []Finding {
		return h.access(ctx, probe, acct)
	}))
}

// person finds the account, and says whose it is. It returns a zero Account if nobody can sign in
// with the name.
func (h *Host) person() (account.Account, []Finding) {
	rules := account.RulesFrom(h.Config)
	name, err := rules.Name(h.Account)
	if err != nil {
		return nobodys(h.noName(err))
	}
	if uid, local := h.localUser(name.Account); local && name.Account != name.UPN {
		return nobodys(failedf(Machine,
			"%s is a local account (uid %s), which wins, so %s has no name on this machine",
			name.Account, uid, name.UPN).
			fix("give the local account another name, or make it theirs, files and all: " +
				"docs/accounts.md").
			run("usermod -l " + name.Account + "-local " + name.Account))
	}
	snapshot, err := account.Store{Dir: h.Config.Accounts.Directory}.Open()
	if err != nil {
		return nobodys(skipped("the store cannot be read"))
	}
	defer snapshot.Close()
	held, err := snapshot.Holder(name.Account)
	switch {
	case errors.Is(err, account.ErrUnknown):
		first, err := snapshot.NewAccount(name)
		if err != nil {
			return nobodys(failed(Store, strings.TrimPrefix(err.Error(), "account: ")).
				run("aadctl store verify"))
		}
		if findings := h.firstRefused(first); findings != nil {
			return account.Account{}, findings
		}
		return first, []Finding{ok("%s has never signed in here; sshd is told uid %d and home %s",
			name.Account, first.UID, first.Home)}
	case errors.Is(err, account.ErrRemoved):
		return nobodys(failed(Machine, name.Account+" has been removed from this machine").
			run("aadctl account restore " + shell.Word(name.Account)))
	case err != nil:
		return nobodys(failed(Store, err.Error()).run("aadctl store verify"))
	case held.Name != name.Account:
		return nobodys(failed(Machine, name.Account+" is a former name of "+held.Name).
			run("aadctl check " + shell.Word(held.Name)))
	case !held.Locked.IsZero():
		return held, []Finding{failed(Machine, held.Name+" has been locked on this machine").
			run("aadctl account unlock " + shell.Word(held.Name))}
	case held.ObjectID == "" && h.firstRefused(held) != nil:
		return account.Account{}, h.firstRefused(held)
	case held.ObjectID == "":
		return held,
			[]Finding{ok("%s was imported and has uid %d; its first sign-in tells whose it is",
				held.Name, held.UID)}
	}
	return held, []Finding{ok("%s has uid %d and belongs to object %s",
		held.Name, held.UID, held.ObjectID)}
}

// noName says why no account here can have the name.
func (h *Host) noName(err error) Finding {
	var spelling *account.SpellingError
	var short *account.ShortNameError
	first := h.Config.Domains[0]
	_, domain, full := strings.Cut(h.Account, "@")
	switch {
	case errors.As(err, &spelling):
		return failedf(Machine, "%q is spelled %s here", h.Account, spelling.Right).
			run("aadctl check " + shell.Word(spelling.Right))
	case errors.As(err, &short):
		upn := short.Short + "@" + first
		return failedf(Machine, "%s %s, and cannot be a short name, so %s cannot sign in here",
			short.Short, short.Problem, upn).
			fix("give the person another user name, or set up the machine without short_names").
			run("az ad user update --id " + shell.Word(upn) + " --set userPrincipalName=NEW@" +
				first)
	}
	r := failedf(Machine,
		"%q is not a name of the configured domains (%s), so pam_aad.so stands aside",
		h.Account, strings.Join(h.Config.Domains, ", "))
	if !full || slices.Contains(h.Config.Domains, domain) ||
		strings.Trim(domain, domainCharacters) != "" || domain == "" {
		return r.fix("write the whole user name, such as alice@" + first + ", in lower case").
			run("aadctl check alice@" + first)
	}
	return r.fix("where these are people of yours, add their domain").
		run(fmt.Sprintf(`sed -Ei 's/^([[:blank:]]*domains[[:blank:]]*=[[:blank:]]*\[[^]]*)\]/\1, "%s"]/' %s && %s`, domain, shell.Word(h.configPath()), apply))
}

const domainCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.-"

// localUser returns the uid that /etc/passwd has for a name. A local account wins over ours.
func (h *Host) localUser(name string) (uid string, local bool) {
	text, _ := h.read("etc/passwd")
	for line := range strings.Lines(text) {
		if fields := strings.Split(line, ":"); len(fields) > 2 && fields[0] == name {
			return fields[2], true
		}
	}
	return "", false
}

// nobodys returns a finding for a name that nobody can sign in with.
func nobodys(r Finding) (account.Account, []Finding) { return account.Account{}, []Finding{r} }

// entry compares the store with the answer of the C library, in which local names win.
func (h *Host) entry(ctx context.Context, acct account.Account) []Finding {
	if acct.Name == "" {
		return []Finding{skipped("no account goes by this name, so there is none to ask the name " +
			"service for")}
	}
	said, err := h.Run(ctx, "getent", "passwd", acct.Name)
	entry := strings.Split(strings.TrimSpace(said), ":")
	switch stored := !acct.Created.IsZero(); {
	case err == nil && len(entry) == 7 && entry[2] != fmt.Sprint(acct.UID):
		return []Finding{failedf(Machine, "getent says uid %s: another source has %s, and it wins",
			entry[2], acct.Name).
			fix("give that account another name, if it is not this person's; who has it: ").
			run("getent -s files passwd " + acct.Name + " || getent passwd " + acct.Name)}
	case err == nil && len(entry) == 7:
		return []Finding{ok("getent says: %s", strings.TrimSpace(said))}
	case stored:
		return []Finding{failed(Machine, "getent does not find "+acct.Name).
			fix("see what else is wrong here: the module or nsswitch.conf").run(nsswitchAdd)}
	}
	return []Finding{ok(
		"getent does not find it, as it should be before a first sign-in: only %s do",
		strings.Join(h.Config.Accounts.PreAuthServices, ", "))}
}

// grant reports the last authorization, which matters while Azure cannot be asked.
func (h *Host) grant(acct account.Account, now time.Time) []Finding {
	if acct.ObjectID == "" {
		return []Finding{skipped("nobody has signed in under this name")}
	}
	g, err := account.Store{Dir: h.Config.Accounts.Directory}.ReadGrant(acct.UID)
	if err != nil {
		return []Finding{skipped(
			"there is no grant: the last authorization was a refusal, or none is known")}
	}
	as := "a user"
	if g.Admin {
		as = "an administrator"
	}
	found := fmt.Sprintf("last authorized as %s %s by %s", as, g.Time.UTC().Format(time.RFC3339),
		g.Source)
	if g.Service != "" {
		found += ", for " + g.Service
	}
	if g.ConfigDigest != signin.ConfigDigest(h.Config) {
		return []Finding{ok("%s, under another configuration: it stands in for nothing", found)}
	}
	if lifetime := h.Config.Authorization.GrantLifetime; lifetime > 0 {
		found += fmt.Sprintf("; it stands in for an authorization until %s",
			g.Time.Add(lifetime).UTC().Format(time.RFC3339))
		if g.Admin && !h.Config.Authorization.GrantCoversAdministrators {
			found += ", as a user"
		}
	}
	if g.Time.After(now) {
		return []Finding{warning(found + ", which is in the future: it stands in for nothing")}
	}
	return []Finding{ok("%s", found)}
}

// access asks whether the person would be let in today.
func (h *Host) access(ctx context.Context, probe *signin.Probe, acct account.Account) []Finding {
	switch {
	case acct.Name == "" || !acct.Locked.IsZero():
		return []Finding{failed(Machine, "this name is not let in").
			fix("see what the check account says")}
	case !h.Config.Authorization.AsksAsMachine() &&
		h.Config.Authorization.Source == config.AppRoles:
		return []Finding{skipped("app roles are in the token of a sign-in; without one nobody " +
			"can tell")}
	case !h.Config.Authorization.AsksAsMachine():
		return []Finding{skipped("permissions are asked for in the person's name; without a " +
			"sign-in nobody can tell")}
	case acct.ObjectID == "":
		return []Finding{skipped("roles belong to an object id, which the first sign-in tells")}
	case probe == nil:
		return []Finding{skipped(offlineWhy)}
	}
	decision, err := probe.Ask(ctx, acct.ObjectID)
	if err != nil {
		return []Finding{h.wayOut("authorization", failed(Unreachable, "Azure: "+plain(err)).
			fix(probe.Fix(err)))}
	}
	return []Finding{judgeDecision(decision, probe.Assign(acct.ObjectID))}
}

// judgeDecision names the role assignment that decided.
func judgeDecision(d rbac.Decision, assign string) Finding {
	by := ""
	if d.Role != "" || d.Scope != "" {
		by = fmt.Sprintf(": role %q at %s", d.Role, d.Scope)
	}
	switch {
	case d.Admin:
		return ok("would be let in as administrator%s", by)
	case d.Login:
		return ok("would be let in%s; not as administrator, for %s", by, d.Reason)
	}
	finding := failed(Machine, "would not be let in: "+d.Reason).
		fix("the role counts from the next sign-in on, once Azure knows it")
	if d.Withheld {
		return finding.fix(rbac.AskWhoDenied)
	}
	return finding.run(assign)
}
