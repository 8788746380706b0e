// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"aadlogin/internal/config"
	"aadlogin/internal/signin"
)

// These checks are about what Conditional Access sees of a sign-in. Only a sign-in can tell which
// form of sign_in.scope Entra ID accepts in the tenant.

// scope looks at the configuration alone.
func (h *Host) scope(context.Context) []Finding {
	c := h.Config
	switch {
	case c.Authorization.Source == config.Permissions:
		return []Finding{ok("Conditional Access sees Azure Resource Manager, whose scope "+
			"authorization.source %q asks for", config.Permissions)}
	case c.SignIn.Scope == "":
		return []Finding{warning("Conditional Access does not see this application: without " +
			"sign_in.scope a sign-in is access to the directory, and policies that name or " +
			"exclude the application do nothing").
			fix("this changes nothing: it prints the az commands that expose a scope, and what " +
				"to run on each machine after them; aadctl check --tenant tells which scope " +
				"Entra ID takes").
			run(fmt.Sprintf("aadctl setup --tenant %s --client %s --domain %s", c.TenantID,
				c.ClientID, strings.Join(c.Domains, ",")))}
	}
	return []Finding{ok("Conditional Access sees this application by its scope %s; whether the "+
		"registration exposes it, and who has consented, only a sign-in can tell: aadctl check "+
		"--tenant", c.SignIn.Scope)}
}

func writeScope(c *config.Config, scope string) string {
	command := fmt.Sprintf("aadctl setup --tenant %s --client %s --domain %s --scope %s",
		c.TenantID, c.ClientID, strings.Join(c.Domains, ","), scope)
	if c.SignIn.Scope != "" {
		command += " --force"
	}
	return command
}

// A Trial is one sign-in with one form of the scope.
type Trial struct {
	Scope   string // as in sign_in.scope; "" for none
	Done    bool   // somebody signed in or was refused
	Granted bool   // the answer lists the scope
	Err     error  // why the machine got no token
	Page    int    // the number that the page showed, as the person read it; 0 for none
}

// Forms returns the scopes to try: none, the application's own by its GUID, and by its URI. A
// configured scope replaces the one of the same form.
func Forms(c *config.Config) []string {
	if c.Authorization.Source == config.Permissions {
		return []string{""}
	}
	guid, uri := config.OwnScope(c.ClientID), "api://"+config.OwnScope(c.ClientID)
	if own := c.SignIn.Scope; strings.HasPrefix(own, "api://") {
		uri = own
		guid = c.ClientID + own[strings.LastIndexByte(own, '/'):]
	} else if own != "" {
		guid, uri = own, "api://"+own
	}
	return []string{"", guid, uri}
}

// JudgeTenant returns a finding for each trial, and then what to write into the configuration.
func (h *Host) JudgeTenant(trials []Trial) []Finding {
	var findings []Finding
	for _, t := range trials {
		findings = append(findings, h.trial(t))
	}
	return named("scope", append(findings, h.advice(trials)...))
}

func (t Trial) accepted() bool { return t.Done && t.Err == nil && t.Page == 0 }

func (t Trial) refused() bool { return t.Done && !t.accepted() && t.kind() != Unreachable }

// means returns why a trial was refused, from the machine's error or the number of the page.
func (t Trial) means() signin.Refusal {
	if t.Page != 0 {
		return signin.Explain("", t.Page)
	}
	return signin.ExplainError(t.Err)
}

func (t Trial) kind() Kind {
	switch means := t.means(); {
	case means.Settings:
		return Configuration
	case means.Unreachable:
		return Unreachable
	}
	return Machine
}

// name returns how the configuration spells a form.
func (h *Host) name(scope string) string {
	switch {
	case h.Config.Authorization.Source == config.Permissions:
		return fmt.Sprintf("authorization.source = %q", config.Permissions)
	case scope == "":
		return "without sign_in.scope"
	}
	return fmt.Sprintf("sign_in.scope = %q", scope)
}

func (h *Host) trial(t Trial) Finding {
	name := h.name(t.Scope)
	switch {
	case t.accepted() && !t.Granted:
		return warningf("%s: accepted, but Entra ID's answer does not list the scope, so that "+
			"policies may not see the application", name)
	case t.accepted():
		return ok("%s: accepted", name)
	case !t.Done:
		return skipped(name + ": not tried to the end")
	}
	means := t.means()
	if !t.refused() {
		return h.wayOut("tenant",
			failed(Unreachable, fmt.Sprintf("%s: no answer: %s", name, means.Happened)))
	}
	by := "the machine was told"
	if t.Page != 0 {
		by = "the page said"
	}
	r := warningf("%s: refused, %s %s: %s", name, by, means.Number, means.Happened)
	if t.Scope == h.Config.SignIn.Scope {
		r.Status = Failed
		r.Kind = t.kind()
	}
	return r.fix(means.Fix)
}

// advice returns the conclusion from all trials. An own scope is better than none, and one by GUID
// is better than one by URI. A form that was skipped counts neither way.
func (h *Host) advice(trials []Trial) []Finding {
	c := h.Config
	any := func(is func(Trial) bool) bool { return slices.ContainsFunc(trials, is) }
	own := func(t Trial) bool { return t.Scope != "" }
	best := slices.IndexFunc(trials, func(t Trial) bool { return own(t) && t.accepted() })
	configured := func(t Trial) bool { return t.Scope == c.SignIn.Scope }
	mine := trials[max(0, slices.IndexFunc(trials, configured))]
	switch {
	case !any(func(t Trial) bool { return t.Done }):
		return []Finding{skipped("nobody signed in, so nothing is known")}
	case mine.accepted() && (own(mine) || c.Authorization.Source == config.Permissions):
		return []Finding{ok("the configuration is right as it is")}
	case best >= 0 && (mine.refused() || !own(mine)):
		found := "Entra ID takes " + h.name(trials[best].Scope)
		if !own(mine) && mine.refused() {
			found += "; without it nobody gets in, so policies let this application through and " +
				"not the directory"
		}
		return []Finding{warning(found).fix("write that into the configuration of every machine").
			run(writeScope(c, trials[best].Scope))}
	case mine.accepted() && any(func(t Trial) bool { return own(t) && t.refused() }):
		return []Finding{warning("no scope of the application's own was accepted: leave " +
			"sign_in.scope empty until that is mended")}
	case mine.refused() && any(func(t Trial) bool { return !own(t) && t.accepted() }):
		return []Finding{failed(Configuration, "only a sign-in without a scope was accepted").
			fix("expose the scope as aadctl setup prints it, or leave sign_in.scope empty").
			run(writeScope(c, "none"))}
	case mine.refused():
		return []Finding{failed(Machine,
			"no form was accepted: nobody can sign in with a code in this tenant as it is set").
			fix("the Conditional Access page of the documentation tells by the number which " +
				"block it is, and what to set; sign_in.flow = \"browser\" does without device " +
				"codes: aadctl setup --flow browser --page URL")}
	}
	return []Finding{skipped("too little was tried to say what to write into the configuration")}
}
