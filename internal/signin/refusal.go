// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"aadlogin/internal/account"
	"aadlogin/internal/config"
	"aadlogin/internal/oauth"
	"aadlogin/internal/shell"
	"aadlogin/internal/token"
)

// refusal ends an attempt. It has what the person, the log and PAM are told.
type refusal struct {
	verdict Verdict
	person  string   // what happened and what to do next; "" says nothing
	reason  string   // of the log line; "" writes none
	pairs   []string // of the log line
	cause   error    // for errors.Is; may be nil
	level   LogLevel // of the log line; 0: the verdict's
}

func (r *refusal) Unwrap() error { return r.cause }

func (r *refusal) Error() string { return "signin: " + LogLine(r.reason, r.pairs...) }

// run takes the steps and turns their result into one verdict and one line in the log. An error
// that no step has foreseen is Broken.
func (a *attempt) run(verb string, steps func(*attempt) error) (v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = a.refused(a.panicked(p))
		}
	}()
	if err := steps(a); err != nil {
		return a.refused(err)
	}
	level, reason := LogInfo, ""
	switch {
	case a.event.standIn != nil:
		level, reason = LogWarning, "last-grant"
	case a.event.reused != nil:
		reason = "reuse"
	}
	a.conv.End(level, a.line(verb, reason, append(a.event.standIn, a.event.reused...)...))
	return Success
}

func (a *attempt) refused(err error) Verdict {
	var r *refusal
	if !errors.As(err, &r) {
		r = a.unexpected(err)
	}
	if r.verdict == Success {
		r.verdict = Broken // a refusal is never a success, whatever a step put into it
	}
	switch {
	case r.person == "":
	case a.pasting && a.inSSHD():
		a.conv.Last(r.person + "\nPress ENTER. ")
	default:
		a.conv.Tell(r.person)
	}
	if r.reason != "" {
		verb, level := r.verdict.said()
		if r.level != 0 {
			level = r.level
		}
		a.conv.End(level, a.line(verb, r.reason, r.pairs...))
	}
	return r.verdict
}

// said returns the word for the log: denied if the answer was no, failed if there was no answer.
func (v Verdict) said() (verb string, level LogLevel) {
	switch v {
	case Refused, Denied:
		return "denied", LogNotice
	case Unreachable:
		return "failed", LogWarning
	default:
		return "failed", LogError
	}
}

func (a *attempt) refuse(v Verdict, person, reason string, pairs ...string) *refusal {
	return &refusal{verdict: v, person: person + "\nCorrelation ID: " + a.correlation(),
		reason: reason, pairs: pairs}
}

const somethingWrong = "Something went wrong on this machine, and nobody was signed in. Try " +
	"again; if it stays, tell its administrator."

func (a *attempt) unforeseen(reason string, err error) *refusal {
	return a.refuse(Broken, somethingWrong, reason, "error", err.Error())
}

// unexpected is for an error that no step has foreseen. Any step may meet a file that it must not
// write.
func (a *attempt) unexpected(err error) *refusal {
	if mayNotWrite(err) {
		return a.notWritable(err)
	}
	return a.unforeseen("unforeseen", err)
}

const metadataService = "metadata service of this machine"

const tellAdministrator = "Tell the administrator of this machine: "

func (a *attempt) misconfigured(err error) error {
	return a.refuse(Misconfigured, tellAdministrator+
		"sign-in is not configured correctly; the system log says what is wrong.",
		"configuration-error", "error", err.Error())
}

func (a *attempt) misspelt(right string) error {
	return a.refuse(Denied,
		fmt.Sprintf("This account is spelled %s on this machine. Connect again with exactly "+
			"that name.", right),
		"misspelt-name", "exact_name", right)
}

func (a *attempt) noShortName(short, problem string) error {
	return a.refuse(Denied,
		fmt.Sprintf("%s cannot sign in to this machine: its name here would be %s, which %s. Ask "+
			"its administrator.",
			clean(a.User, 200), short, problem), "no-short-name", "short_name",
		short, "problem", problem)
}

func (a *attempt) unknownToHost() error {
	return a.refuse(Misconfigured, tellAdministrator+
		"the name service of this machine does not know its sign-in accounts.",
		"name-service-error", "problem",
		`getpwnam does not answer; add "aad" to passwd and group in /etc/nsswitch.conf and run: aadctl config apply`)
}

func (a *attempt) noShell(which, problem string) error {
	return a.refuse(Misconfigured, fmt.Sprintf("%sthe login shell of this account, %s, %s.",
		tellAdministrator, clean(which, 200), problem),
		"no-shell", "shell", which, "problem", problem,
		"fix", "install it, or give the account another: aadctl account set "+
			shell.Word(a.name.Account)+" --shell /bin/bash; for new ones, accounts.shell")
}

// refusedByHost does not guess the reason. aadctl, which may ask sshd, tells it.
func (a *attempt) refusedByHost() error {
	return a.refuse(Denied,
		fmt.Sprintf("The settings of sshd on this machine keep %s out. Ask its administrator.",
			a.name.Account),
		"refused-by-sshd", "fix", "aadctl check "+shell.Word(a.name.Account))
}

func (a *attempt) nameNotAccepted() error {
	return a.refuse(Denied,
		"This machine no longer accepts accounts with this name. Ask its administrator.",
		"name-not-accepted",
		"problem", "the account is stored, but its name is not one of the configured domains'")
}

func (a *attempt) nameOfGroup() error {
	return a.refuse(Denied, tellAdministrator+"an account cannot be named like one of its groups.",
		"name-of-a-group", "problem",
		"a local group has this name, and so its rights; rename or remove the group")
}

// formerName does not tell the new name, because nobody has signed in yet.
func (a *attempt) formerName() error {
	return a.refuse(Denied,
		"This name is no longer in use on this machine. Connect again with the account's "+
			"present name.", "former-name")
}

// otherTenant refuses an account of another directory, whose answers say nothing about this one's
// people.
func (a *attempt) otherTenant(acct account.Account) error {
	return a.refuse(Denied,
		"This account is of another directory than this machine is set up for. Ask its "+
			"administrator.",
		"other-tenant", "tid", acct.TenantID)
}

func (a *attempt) moved() error {
	return a.refuse(Denied,
		"The accounts of this machine changed while you were connecting. Connect again.",
		"stale-lookup")
}

func (a *attempt) demoted(acct account.Account) error {
	return a.refuse(Denied,
		fmt.Sprintf("%s is no longer an administrator of this machine. Log out and in again to "+
			"go on without, or ask for the role.", acct.Name),
		"demoted")
}

func (a *attempt) noSlot(err error) error {
	switch {
	case errors.Is(err, errMachineFull):
		return a.refuse(Unreachable,
			"Too many sign-ins are waiting on this machine. Try again in a few minutes.",
			"too-many-waiting", "limit", "machine")
	case errors.Is(err, errAddressFull):
		return a.refuse(Unreachable,
			"Too many sign-ins from your address are waiting. Try again in a few minutes.",
			"too-many-waiting", "limit", "address")
	case errors.Is(err, errAccountFull):
		return a.refuse(Unreachable,
			"Too many sign-ins are waiting for this account. Finish or close one of them first.",
			"too-many-waiting", "limit", "account")
	case errors.Is(err, errTooOften):
		return a.refuse(Unreachable,
			"Too many sign-ins from your address have been begun and not finished. Try again in "+
				"a few minutes.", "too-many-waiting", "limit", "rate")
	case errors.Is(err, errLocked):
		return a.refuse(Broken,
			"Sign-ins cannot begin on this machine at the moment. Try again; if it stays, tell "+
				"its administrator.",
			"waiting-room-locked", "error", err.Error(), "fix",
			"see which process holds that file (fuser -v), and end it")
	default:
		return err
	}
}

func (a *attempt) otherAccount(c *token.Claims) error {
	got := cmp.Or(clean(c.PreferredUsername, 120), "an account without a name")
	return a.refuse(Refused,
		fmt.Sprintf("This sign-in is for %s, but %s signed in with the browser. Try again, and "+
			"choose %s there "+
			"(a private window helps if the browser picks an account by itself).",
			a.name.UPN, got, a.name.UPN),
		"other-account", "browser_account", c.PreferredUsername, "browser_oid", c.ObjectID)
}

func (a *attempt) unverifiedName(c *token.Claims) error {
	return a.refuse(Denied,
		fmt.Sprintf("%s is here the name of a guest with a personal account, which may carry "+
			"any name. "+
			"Sign in with an account of your organisation.", a.name.UPN),
		"unverified-name", "browser_oid", c.ObjectID, "idp", c.IdentityProvider)
}

func (a *attempt) badToken(err error) error {
	var bad *token.InvalidError
	if errors.As(err, &bad) && a.event.flow != "" && a.isRelayed(bad) {
		return a.relayed(err)
	}
	if errors.As(err, &bad) || errors.Is(err, oauth.ErrUnusable) {
		return a.refuse(Refused,
			"The answer of the sign-in service could not be trusted, so nobody was signed in. "+
				"Tell the administrator of this machine.",
			"token-refused", "error", err.Error())
	}
	return a.cannotReach("sign-in service", err)
}

// noRole begins with the sentence that users of the preview know, word for word.
func (a *attempt) noRole(c *cloud, oid, action string) error {
	if a.cfg.Authorization.Source == config.AppRoles {
		return a.noAppRole(oid, action)
	}
	a.event.scope = cmp.Or(a.event.scope, c.resource.String())
	role := roleFor(action)
	person := fmt.Sprintf("Access denied:  to sign-in you be assigned a role with action '%s', "+
		"for example '%s'\nScope: %s\nObject ID: %s",
		action, role, c.resource.Scope(), oid)
	return a.refuse(Denied, person, "no-role", "action", action, "fix",
		assign(oid, role, c.resource.Scope()))
}

// roleFor is Azure's own role for an action.
func roleFor(action string) string {
	if strings.HasSuffix(strings.ToLower(action), "/loginasadmin/action") {
		return "Virtual Machine Administrator Login"
	}
	return "Virtual Machine User Login"
}

func assign(oid, role, scope string) string {
	return fmt.Sprintf("az role assignment create --assignee-object-id %s --role '%s' --scope '%s'",
		oid, role, scope)
}

// noAppRole is noRole where app roles decide.
func (a *attempt) noAppRole(oid, role string) error {
	person := fmt.Sprintf("Access denied:  to sign-in you be assigned the app role '%s' of this "+
		"machine's application\nApplication: %s\nObject ID: %s",
		role, a.cfg.ClientID, oid)
	return a.refuse(Denied, person, "no-role", "app_role", role,
		"fix", fmt.Sprintf("in the Entra admin center, at Enterprise applications, application "+
			"%s, Users and groups: give object %s "+
			"the app role with the value %s", a.cfg.ClientID, oid, role))
}

// noCode is for a device code that could not be had. The person has seen nothing yet.
func (a *attempt) noCode(err error) error {
	var theirs *oauth.Error
	if errors.As(err, &theirs) {
		return a.oauthRefused(theirs)
	}
	return a.cannotReach("sign-in service", err)
}

// notRedeemed is for an authorization code that was pasted and yields no tokens.
func (a *attempt) notRedeemed(err error) error {
	if errors.Is(err, oauth.ErrUnusable) {
		return a.badToken(err)
	}
	return a.noCode(err)
}

// notSignedIn is for a code that was shown without the browser bringing a token.
func (a *attempt) notSignedIn(err error) error {
	// may have a time-out for its cause: nobody could tell that the person was done
	var outage *oauth.UnreachableError
	var refused *oauth.Error
	switch {
	case errors.As(err, &outage), errors.As(err, &refused):
		// below, as before there was a code
	case errors.Is(err, oauth.ErrExpired), errors.Is(err, context.DeadlineExceeded):
		return a.refuse(Refused, notInTime, "expired", "error", err.Error(), "fix", fixNotInTime)
	case errors.Is(err, oauth.ErrUnusable):
		return a.badToken(err)
	}
	return a.noCode(err)
}
