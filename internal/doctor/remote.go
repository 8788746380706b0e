// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aadlogin/internal/azcli"
	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/shell"
	"aadlogin/internal/signin"
)

// maxSkew is the clock skew that this machine tolerates in tokens. Entra ID tolerates more.
const maxSkew = time.Minute

// offlineWhy is the finding of a network check whose precondition failed.
const offlineWhy = "not asked: another check, which it needs, failed"

// Remote checks the authority, the metadata service and Azure, in the order of a sign-in.
func (h *Host) Remote(ctx context.Context, tell func([]Finding)) *signin.Probe {
	probe, err := signin.NewProbe(ctx, h.Config)
	if err != nil {
		tell(examine(ctx, "endpoints", func(context.Context) []Finding {
			return []Finding{failed(Configuration, plain(err)).
				fix("correct endpoints.ca_file or endpoints.proxy")}
		}))
		return nil
	}
	r := remote{h, probe}
	known := r.tell(ctx, tell, "openid", true, r.openID)
	r.tell(ctx, tell, "domains", known, r.domains)
	r.tell(ctx, tell, "clock", known, r.clock)
	r.tell(ctx, tell, "keys", known, r.keys)
	machine := r.tell(ctx, tell, "machine", true, r.machine)
	askable := known && (machine || h.Config.Authorization.Source != config.Permissions)
	r.tell(ctx, tell, "registration", askable, r.registration)
	if h.Config.SignIn.Page != "" {
		r.tell(ctx, tell, "page", askable, r.page)
		r.tell(ctx, tell, "redirect", askable, r.address)
	}
	if !h.Config.Authorization.AsksAsMachine() {
		return probe
	}
	r.tell(ctx, tell, "tenant", machine, r.tenant)
	identity := r.tell(ctx, tell, "identity", machine, r.identity)
	if !r.tell(ctx, tell, "authorization", identity, r.authorization) {
		return nil
	}
	return probe
}

// Tenant checks what a trial sign-in needs. It returns nil if something is missing.
func (h *Host) Tenant(ctx context.Context, tell func([]Finding)) *signin.Probe {
	probe, err := signin.NewProbe(ctx, h.Config)
	if err != nil {
		tell(examine(ctx, "endpoints", func(context.Context) []Finding {
			return []Finding{failed(Configuration, plain(err)).
				fix("correct endpoints.ca_file or endpoints.proxy")}
		}))
		return nil
	}
	r := remote{h, probe}
	if !r.tell(ctx, tell, "openid", true, r.openID) {
		return nil
	}
	return probe
}

type remote struct {
	*Host
	probe *signin.Probe
}

// A checkFunc looks at one precondition.
type checkFunc func(context.Context) []Finding

// tell runs a check if its precondition holds, and reports whether it passed.
func (r remote) tell(ctx context.Context, tell func([]Finding), name string,
	possible bool, check checkFunc) bool {
	if !possible {
		check = func(context.Context) []Finding { return []Finding{skipped(offlineWhy)} }
	}
	findings := examine(ctx, name, check)
	for i := range findings {
		findings[i] = r.wayOut(name, findings[i])
	}
	tell(findings)
	for _, finding := range findings {
		possible = possible && finding.Status != Failed
	}
	return possible
}

// wrong returns the finding for an error of the probe.
func (r remote) wrong(what string, err error) []Finding {
	kind := Unreachable
	switch {
	case signin.Settings(err):
		kind = Configuration
	case errors.As(err, new(*azure.LocalError)):
		kind = Machine
	}
	finding := failed(kind, what+": "+plain(err)).fix(r.probe.Fix(err))
	// If a certificate is not valid now, this machine's clock is mostly wrong. With such a clock no
	// answer is accepted that could tell the time.
	if invalid := (x509.CertificateInvalidError{}); errors.As(err, &invalid) &&
		invalid.Reason == x509.Expired {
		return []Finding{finding.run(setClock)}
	}
	return []Finding{finding}
}

const setClock = "timedatectl set-ntp true"

// plain drops the names of packages, which tell a person nothing.
func plain(err error) string {
	text := err.Error()
	for _, name := range []string{"signin: configuration: ", "signin: ", "token: ", "azure: ",
		"rbac: ", "oauth: ", "devicecode: ", "authcode: "} {
		text = strings.TrimPrefix(text, name)
	}
	return text
}

func (r remote) openID(ctx context.Context) []Finding {
	authority, err := r.probe.OpenID(ctx)
	if err != nil {
		return r.wrong("the tenant's metadata", err)
	}
	return []Finding{ok("%s knows tenant %s", authority, r.Config.TenantID)}
}

func (r remote) clock(context.Context) []Finding {
	skew, known := r.probe.Skew()
	return []Finding{judgeClock(skew, known)}
}

func judgeClock(ahead time.Duration, known bool) Finding {
	switch {
	case !known:
		return skipped("the authority did not say what time it is")
	case ahead > maxSkew:
		return failedf(Machine, "this machine's clock is %v ahead of the authority's", ahead).
			fix("tokens seem to have expired; have the clock set by NTP").run(setClock)
	case ahead < -maxSkew:
		return failedf(Machine, "this machine's clock is %v behind the authority's", -ahead).
			fix("tokens seem to come from the future; have the clock set by NTP").run(setClock)
	}
	return ok("the clock is right to %v", maxSkew)
}

func (r remote) keys(ctx context.Context) []Finding {
	if err := r.probe.Keys(ctx); err != nil {
		return r.wrong("the tenant's signing keys", err)
	}
	return []Finding{ok("the tenant's signing keys can be had")}
}

func (r remote) machine(context.Context) []Finding {
	id, err := r.probe.Machine()
	switch {
	case err != nil:
		finding := r.wrong("where in Azure this machine is", err)[0]
		if refused := (*azure.Error)(nil); errors.As(err, &refused) &&
			!errors.Is(err, azure.ErrUnreachable) && !refused.Updating() {
			finding.Kind = Machine // the metadata service answered, but does not say where the machine is
		}
		return r.byRule([]Finding{finding}, err)
	case id == "":
		return []Finding{ok("app roles decide, so this machine need not be in Azure")}
	}
	if other := r.probe.OtherMachine(); other != "" {
		return r.byRule([]Finding{warningf("roles are looked up at %s "+
			"(authorization.resource_id), and the metadata service says that this machine is %s",
			id, other).
			fix("without the key it is what metadata says; if it is another on purpose, ignore this").
			run(fmt.Sprintf(`sed -Ei 's/^([[:blank:]]*(authorization\.)?resource_id[[:blank:]]*=)/#\1/' %s && %s`, shell.Word(r.configPath()), apply))}, nil)
	}
	return r.byRule([]Finding{ok("roles are looked up at %s", id)}, nil)
}

func (r remote) registration(ctx context.Context) []Finding {
	err := r.probe.Registration(ctx)
	switch browser := r.Config.SignIn.Flow == config.Browser; {
	case browser && signin.TakesNoCodes(err):
		return []Finding{ok("Entra ID knows the app registration %s, which takes no device codes "+
			"and needs none", r.Config.ClientID)}
	case err != nil:
		return r.wrong("the app registration "+r.Config.ClientID, err)
	case browser:
		return []Finding{ok("Entra ID knows the app registration %s", r.Config.ClientID)}
	}
	return []Finding{ok("the app registration %s takes device codes", r.Config.ClientID)}
}

func (r remote) tenant(context.Context) []Finding {
	if err := r.probe.SameTenant(); err != nil {
		finding := r.wrong("the tenant", err)[0]
		return []Finding{finding.fix("people of one directory have no roles at a machine of " +
			"another: correct tenant_id, if it is wrong").
			run("az account show --query tenantId --output tsv")}
	}
	return []Finding{ok("metadata names no other tenant than tenant_id")}
}

func (r remote) identity(ctx context.Context) []Finding {
	if err := r.probe.Identity(ctx); err != nil {
		finding := r.wrong("the machine's managed identity", err)[0]
		if _, forbidden := signin.Forbidden(err); forbidden {
			return r.byRule([]Finding{finding}, err)
		}
		if refused := (*azure.Error)(nil); errors.As(err, &refused) &&
			!errors.Is(err, azure.ErrUnreachable) {
			finding.Kind = Machine
			if r.Config.Authorization.ManagedIdentity == "" && !refused.SeveralIdentities() {
				finding.Command = r.identityAssign()
			}
		}
		return []Finding{finding}
	}
	return []Finding{ok("the machine has a managed identity")}
}

// identityAssign returns the command that gives this machine an identity, once the machine is
// known.
func (r remote) identityAssign() string {
	machine, err := r.resource()
	if err != nil {
		return ""
	}
	return azcli.AssignIdentity(machine)
}

// nobody is an object id that no object has. A machine that may not ask at all may not ask about it
// either.
const nobody = "00000000-0000-0000-0000-000000000000"

// aboutMachine reports whether Azure's code is about the machine, or about this software: the
// answer is the same for everybody then.
func aboutMachine(refused *azure.Error) bool {
	return slices.Contains([]string{"resourcenotfound", "resourcegroupnotfound",
		"subscriptionnotfound", "invalidapiversionparameter", "noregisteredproviderfound"},
		strings.ToLower(refused.Code))
}

func (r remote) authorization(ctx context.Context) []Finding {
	_, err := r.probe.Ask(ctx, nobody)
	var refused *azure.Error
	switch {
	case err == nil:
		return []Finding{ok("Azure answers this machine (%s)", r.Config.Authorization.Source)}
	case errors.As(err, &refused) && !errors.Is(err, azure.ErrUnreachable) &&
		refused.Status != 401 && refused.Status != 403 && !aboutMachine(refused):
		return []Finding{warning("Azure does not answer about an account that does not exist: " +
			plain(err)).
			fix("after the first sign-in, aadctl check ACCOUNT tells more")}
	case errors.As(err, &refused) && !errors.Is(err, azure.ErrUnreachable):
		finding := r.wrong("Azure refuses this machine", err)[0]
		if finding.Kind = Machine; r.Config.Authorization.AsksAsMachine() &&
			strings.EqualFold(refused.Code, "AuthorizationFailed") {
			finding.Command = r.mayAskCommand()
		}
		return []Finding{finding}
	}
	return r.wrong("Azure Resource Manager", err)
}
