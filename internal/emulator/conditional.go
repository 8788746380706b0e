// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"slices"
	"strings"
)

// This is Conditional Access as
// https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-policies
// describes it. A policy applies if all of its conditions do. Every policy that applies must be
// satisfied, and a block overrides the others. Policies look at the resource that the token is for.
// The client is no resource.

// A Policy is a Conditional Access policy.
type Policy struct {
	Name                string   `toml:"name"`
	State               string   `toml:"state,omitempty"`                // "on" (default), "report-only", "off"
	Users               []string `toml:"users,omitempty"`                // users and groups, or "All" (default)
	ExcludeUsers        []string `toml:"exclude_users,omitempty"`        // exceptions from users
	Resources           []string `toml:"resources,omitempty"`            // application ids, or "All" (default)
	ExcludeResources    []string `toml:"exclude_resources,omitempty"`    // exceptions from resources
	AuthenticationFlows []string `toml:"authentication_flows,omitempty"` // "device-code", "authentication-transfer"; default: any way to sign in
	ClientApps          []string `toml:"client_apps,omitempty"`          // "browser", "mobile-and-desktop", "exchange-active-sync", "other"; default: any
	Grant               string   `toml:"grant"`                          // "block", "mfa", "managed-device", "domain-joined-device"
	Polling             string   `toml:"polling,omitempty"`              // what the machine is told of a refusal; default: the directory's polling
}

// all stands for everybody, and for every resource.
const all = "All"

// These are the ways to sign in that policies distinguish.
const (
	DeviceCode        = "device-code"
	AuthorizationCode = "authorization-code"
)

// These settings are for sign-ins that ask for baseline scopes only. Any other value is the id of
// an application that stands for them.
const (
	baselineNew = "new" // such a sign-in is access to the directory; the default
	baselineOld = "old" // the same, but a policy for all resources with any exclusion does not apply
)

// baselineScopes are the permissions that do not count as access to a resource.
// https://learn.microsoft.com/entra/identity/conditional-access/concept-enforcement-resource-exclusions
var baselineScopes = []string{
	"openid", "profile", "email", "offline_access", "User.Read",
	"User.Read.All", "User.ReadBasic.All",
	"People.Read", "People.Read.All", "GroupMember.Read.All", "Member.Read.Hidden",
}

// baseline reports whether the request contains baseline scopes only.
func (a asked) baseline() bool {
	return !slices.ContainsFunc(a.permissions(), func(p string) bool {
		name, graph := strings.CutPrefix(p, GraphApp+"/")
		return !graph || !slices.Contains(baselineScopes, name)
	})
}

// An attempt is a sign-in of a public client, as policies see it.
type attempt struct {
	who      []string // object ids: the person's and their groups'
	flow     string
	app      string // the kind of client: "browser" or "mobile-and-desktop", the default
	resource string // the id of the application that the token is for
	baseline bool   // only baseline scopes are asked for
	mfa      bool   // the person can prove a second factor
	managed  bool   // the device that gets the token can prove that it is managed
}

// A ruling is the result of all policies for an attempt.
type ruling struct {
	aadsts     int     // the number of the error; 0: let in
	policy     *Policy // the policy that refused; nil: none, or the security defaults
	audience   string  // the id of the application that the attempt was judged by
	mfa        bool    // a second factor was asked for
	reportOnly []string
}

// judge applies the security defaults, and then every policy.
func (d *Directory) judge(a attempt) ruling {
	r := ruling{audience: d.audience(a)}
	if d.SecurityDefaults {
		r.mfa = true
		switch {
		case d.SecurityDefaultsBlockDeviceCode && a.flow == DeviceCode:
			r.aadsts = 530035
		case !a.mfa:
			r.aadsts = 50079
		}
		return r
	}
	for i := range d.Policies {
		if p := &d.Policies[i]; p.State != "off" && d.applies(p, a, r.audience) {
			r.take(p, p.unmet(a))
		}
	}
	return r
}

// take adds the result of one policy.
func (r *ruling) take(p *Policy, aadsts int) {
	if p.State == "report-only" {
		if aadsts != 0 {
			r.reportOnly = append(r.reportOnly, p.Name)
		}
		return
	}
	r.mfa = r.mfa || p.Grant == "mfa"
	if aadsts != 0 && (r.aadsts == 0 || p.Grant == "block" && r.policy.Grant != "block") {
		r.aadsts, r.policy = aadsts, p
	}
}

// audience returns the application that stands for the scopes.
func (d *Directory) audience(a attempt) string {
	switch {
	case !a.baseline:
		return a.resource
	case d.BaselineScopes == "" || d.BaselineScopes == baselineNew ||
		d.BaselineScopes == baselineOld:
		return DirectoryApp
	default:
		return d.BaselineScopes
	}
}

// applies reports whether all conditions of a policy hold.
func (d *Directory) applies(p *Policy, a attempt, audience string) bool {
	user := func(who string) bool { return who == all || d.names(who, a.who) }
	resource := func(id string) bool { return id == all || strings.EqualFold(id, audience) }
	everything := len(p.Resources) == 0 || slices.Contains(p.Resources, all)
	switch {
	case len(p.Users) > 0 && !slices.ContainsFunc(p.Users, user),
		slices.ContainsFunc(p.ExcludeUsers, user):
		return false
	case !everything && !slices.ContainsFunc(p.Resources, resource),
		slices.ContainsFunc(p.ExcludeResources, resource):
		return false
	case a.baseline && d.BaselineScopes == baselineOld && everything && len(p.ExcludeResources) > 0:
		return false
	case len(p.AuthenticationFlows) > 0 && !slices.Contains(p.AuthenticationFlows, a.flow):
		return false
	default:
		return len(p.ClientApps) == 0 || slices.Contains(p.ClientApps,
			orDefaultText(a.app, "mobile-and-desktop"))
	}
}

// unmet returns the number of the error for a requirement that the sign-in does not meet, or 0.
// With a device code the token goes to another device than the browser's, so no requirement about
// devices is ever met.
func (p *Policy) unmet(a attempt) int {
	managed := a.managed && a.flow != DeviceCode
	switch {
	case p.Grant == "mfa" && a.mfa, p.Grant != "mfa" && p.Grant != "block" && managed:
		return 0
	case p.Grant == "mfa":
		return 50079
	case p.Grant == "managed-device":
		return 53000
	case p.Grant == "domain-joined-device":
		return 53001
	default:
		return 53003
	}
}
