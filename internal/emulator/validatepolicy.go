// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"fmt"
	"slices"
	"strings"
)

// oneOf returns a sentence for a value that is not one of good.
func oneOf(value string, good ...string) string {
	if value == "" || slices.Contains(good, value) {
		return ""
	}
	return fmt.Sprintf("%q is none of %s", value, strings.Join(good, ", "))
}

// pollings are the values of polling.
var pollings = []string{pollingPending, "invalid_grant", "interaction_required", "access_denied"}

// settingProblem checks the settings for all sign-ins of the tenant.
func (d *Directory) settingProblem() (key, sentence string) {
	baseline := d.BaselineScopes
	if isGUID(baseline) {
		baseline = baselineNew
	}
	switch {
	case oneOf(d.UserConsent, consentAll, consentLow, consentNone) != "":
		return "user_consent", oneOf(d.UserConsent, consentAll, consentLow, consentNone)
	case oneOf(d.Polling, pollings...) != "":
		return "polling", oneOf(d.Polling, pollings...)
	case oneOf(baseline, baselineNew, baselineOld) != "":
		return "baseline_scopes", oneOf(baseline, baselineNew, baselineOld, "an application's id")
	case d.SecurityDefaultsBlockDeviceCode && !d.SecurityDefaults:
		return "security_defaults_block_device_code", "it goes with security_defaults"
	}
	return "", ""
}

func (d *Directory) registrationProblem() (key, sentence string) {
	r := d.Registration
	for i, name := range r.Scopes {
		if name == "" || strings.ContainsAny(name, "/ ") || name[0] == '.' ||
			slices.Contains(r.Scopes[:i], name) {
			return "registration.scopes",
				fmt.Sprintf("%q: a scope's name is given once, begins with no dot, and has no "+
					"slash and no space", name)
		}
	}
	for _, name := range r.PreAuthorized {
		if !slices.Contains(r.Scopes, name) {
			return "registration.pre_authorized", fmt.Sprintf("%q is none of registration.scopes",
				name)
		}
	}
	for _, name := range r.AdminConsent {
		if _, problem := d.parseScope(name, ""); problem != nil {
			return "registration.admin_consent", fmt.Sprintf("%q is no scope: AADSTS%d: %s", name,
				problem.aadsts, problem.text)
		}
	}
	switch lists := len(r.AdminConsent) + len(r.PreAuthorized); {
	case oneOf(r.ForItself, "any", "guid", "none") != "":
		return "registration.for_itself", oneOf(r.ForItself, "any", "guid", "none")
	case slices.ContainsFunc(r.IdentifierURIs, func(u string) bool {
		return !strings.Contains(u, "://") || strings.HasSuffix(u, "/")
	}):
		return "registration.identifier_uris",
			`an identifier URI is like "api://name", without a slash at its end`
	case lists > 0 && !r.ConsentRequired && !r.NoServicePrincipal:
		return "registration.consent_required",
			"without it, all is consented to: admin_consent and pre_authorized would mean nothing"
	case r.NoServicePrincipal && len(r.AdminConsent) > 0:
		return "registration.admin_consent",
			"consent is kept in the service principal, and no_service_principal says that " +
				"there is none"
	}
	return r.addressProblem()
}

func (d *Directory) policyProblem() (key, sentence string) {
	for i, p := range d.Policies {
		if key, sentence := d.wrongPolicy(p); sentence != "" {
			return fmt.Sprintf("policy[%d].%s", i, key), sentence
		}
	}
	return "", ""
}

// wrongPolicy returns the first wrong key of one policy.
func (d *Directory) wrongPolicy(p Policy) (key, sentence string) {
	words := []struct {
		key  string
		have []string
		good []string
	}{
		{"state", []string{p.State}, []string{"on", "report-only", "off"}},
		{"polling", []string{p.Polling}, pollings},
		{"authentication_flows", p.AuthenticationFlows,
			[]string{DeviceCode, "authentication-transfer"}},
		{"client_apps", p.ClientApps, []string{"browser", "mobile-and-desktop",
			"exchange-active-sync", "other"}},
		{"grant", []string{orDefaultText(p.Grant, "nothing")},
			[]string{"block", "mfa", "managed-device", "domain-joined-device"}},
	}
	if p.Name == "" {
		return "name", "a name is needed"
	}
	for _, w := range words {
		for _, value := range w.have {
			if sentence := oneOf(value, w.good...); sentence != "" {
				return w.key, sentence
			}
		}
	}
	nobody := func(k string) bool { return k != all && d.unknown([]string{k}) != "" }
	if i := slices.IndexFunc(p.Users, nobody); i >= 0 {
		return "users", noPrincipal(p.Users[i])
	}
	if i := slices.IndexFunc(p.ExcludeUsers, nobody); i >= 0 {
		return "exclude_users", noPrincipal(p.ExcludeUsers[i])
	}
	unknown := func(id string) bool { return id != all && !isGUID(id) }
	if i := slices.IndexFunc(p.Resources, unknown); i >= 0 {
		return "resources", noResource(p.Resources[i])
	}
	if i := slices.IndexFunc(p.ExcludeResources, unknown); i >= 0 {
		return "exclude_resources", noResource(p.ExcludeResources[i])
	}
	if d.SecurityDefaults && orDefaultText(p.State, "on") == "on" {
		return "state", "Entra ID has either security_defaults or policies that are on"
	}
	return "", ""
}

func noResource(id string) string {
	return fmt.Sprintf(`%q is neither "All" nor an application's id`, id)
}
