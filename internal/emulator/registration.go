// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
)

// A Registration is the app registration that client_id names, with its service principal. The zero
// value exposes no scope. Everything that it may ask for has consent.
type Registration struct {
	Scopes         []string `toml:"scopes,omitempty"`          // that it exposes, such as "sign-in"
	IdentifierURIs []string `toml:"identifier_uris,omitempty"` // its names in scopes besides the client id, "api://…"
	ForItself      string   `toml:"for_itself,omitempty"`      // the form in which it may redeem its own scope: "any" (default), "guid", "none"; another form gets AADSTS90009
	Confidential   bool     `toml:"confidential,omitempty"`    // "Allow public client flows" is off

	SPA          []string `toml:"spa,omitempty"`           // redirect addresses of the platform "Single-page application"
	PublicClient []string `toml:"public_client,omitempty"` // of "Mobile and desktop applications"
	Web          []string `toml:"web,omitempty"`           // of "Web": codes sent there need a secret, and there is none here

	NoServicePrincipal bool     `toml:"no_service_principal,omitempty"` // until somebody consents
	ConsentRequired    bool     `toml:"consent_required,omitempty"`     // only the two lists below have consent
	AdminConsent       []string `toml:"admin_consent,omitempty"`        // scopes with an administrator's consent for everybody
	PreAuthorized      []string `toml:"pre_authorized,omitempty"`       // own scopes that the client may ask for without consent
}

// These are the values of user_consent, which says who may consent.
const (
	consentAll  = "all"        // people, to anything; the default
	consentLow  = "low-impact" // people, to the permissions of low impact; administrators, to anything
	consentNone = "none"       // administrators only
)

// lowImpact are the permissions that Entra ID proposes to classify as low.
// https://learn.microsoft.com/entra/identity/enterprise-apps/configure-permission-classifications
var lowImpact = []string{
	GraphApp + "/openid", GraphApp + "/profile", GraphApp + "/email", GraphApp + "/offline_access",
	GraphApp + "/User.Read",
}

// unconsented returns the permissions without consent. given are those that the person consented to
// before. It is inferred that pre-authorization covers the client's own scopes, and not openid and
// profile beside them, which are Graph's.
func (d *Directory) unconsented(a asked, given []string) []string {
	r := d.Registration
	if !r.ConsentRequired && !r.NoServicePrincipal {
		return nil
	}
	granted := slices.Clone(given)
	for _, name := range r.AdminConsent {
		consented, _ := d.parseScope(name, "")
		granted = append(granted, consented.permissions()...)
	}
	for _, name := range r.PreAuthorized {
		granted = append(granted, strings.ToLower(d.ClientID)+"/"+name)
	}
	return slices.DeleteFunc(a.permissions(), func(p string) bool {
		return slices.Contains(granted, p)
	})
}

// mayConsent reports whether the person may consent to the permissions.
func (d *Directory) mayConsent(u User, permissions []string) bool {
	if u.Administrator || len(permissions) == 0 {
		return true
	}
	switch d.UserConsent {
	case "", consentAll:
		return true
	case consentLow:
		return !slices.ContainsFunc(permissions,
			func(p string) bool { return !slices.Contains(lowImpact, p) })
	default:
		return false
	}
}

// application returns the registration's name for people.
func (d *Directory) application() string {
	return orDefaultText(d.Application, "Microsoft Azure Linux Virtual Machine Sign-In")
}
