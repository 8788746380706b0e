// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"reflect"
	"slices"
	"testing"
)

// myApp is the application id of contoso.toml.
const myApp = "00001111-aaaa-2222-bbbb-3333cccc4444"

// otherApp is an application to which a tenant assigns baseline scopes.
const otherApp = "44445555-eeee-6666-ffff-7777aaaa8888"

// TestJudge is the table of Conditional Access for device codes.
func TestJudge(t *testing.T) {
	blockCodes := Policy{Name: "codes", AuthenticationFlows: []string{DeviceCode}, Grant: "block"}
	except := func(p Policy, resources ...string) Policy {
		p.ExcludeResources = resources
		return p
	}
	at := func(grant string, resources ...string) Policy {
		return Policy{Name: grant, Resources: resources, Grant: grant}
	}
	state := func(p Policy, s string) Policy { p.State = s; return p }
	users := func(p Policy, in, out []string) Policy { p.Users, p.ExcludeUsers = in, out; return p }
	tests := []struct {
		name     string
		policies []Policy
		setting  string // baseline_scopes
		baseline bool   // only openid and profile are asked for, instead of the application's own scope
		user     string // default user@contoso.example
		want     int
		mfa      bool
	}{
		{name: "no policy", baseline: true},
		{name: "block", policies: []Policy{blockCodes}, baseline: true, want: 53003},
		{name: "block, own scope", policies: []Policy{blockCodes}, want: 53003},
		{name: "off", policies: []Policy{state(blockCodes, "off")}},
		{name: "report only", policies: []Policy{state(blockCodes, "report-only")}},

		// The exclusion of the application only works if it is the resource.
		{name: "excluded, own scope", policies: []Policy{except(blockCodes, myApp)}},
		{name: "excluded, baseline, new", policies: []Policy{except(blockCodes, myApp)},
			baseline: true, want: 53003},
		{name: "excluded, baseline, new by name", policies: []Policy{except(blockCodes, myApp)},
			setting: "new", baseline: true, want: 53003},
		{name: "excluded, baseline, old", policies: []Policy{except(blockCodes, myApp)},
			setting: "old", baseline: true},
		{name: "another excluded, baseline, old", policies: []Policy{except(blockCodes, otherApp)},
			setting: "old", baseline: true},
		{name: "another excluded, own scope, old", policies: []Policy{except(blockCodes, otherApp)},
			setting: "old", want: 53003},
		{name: "aimed at the directory, another excluded, baseline, old",
			policies: []Policy{except(at("block", DirectoryApp), otherApp)}, setting: "old",
			baseline: true, want: 53003},
		{name: "none excluded, baseline, old", policies: []Policy{blockCodes}, setting: "old",
			baseline: true, want: 53003},
		{name: "excluded, baseline, placeholder", policies: []Policy{except(blockCodes, myApp)},
			setting: otherApp, baseline: true, want: 53003},
		{name: "placeholder excluded, baseline", policies: []Policy{except(blockCodes, otherApp)},
			setting: otherApp, baseline: true},
		{name: "placeholder excluded, own scope", policies: []Policy{except(blockCodes, otherApp)},
			setting: otherApp, want: 53003},

		// These policies are for one application.
		{name: "aimed, own scope", policies: []Policy{at("block", myApp)}, want: 53003},
		{name: "aimed, upper case",
			policies: []Policy{at("block", "00001111-AAAA-2222-BBBB-3333CCCC4444")}, want: 53003},
		{name: "aimed, baseline", policies: []Policy{at("block", myApp)}, baseline: true},
		{name: "aimed, baseline, old", policies: []Policy{at("block", myApp)},
			setting: "old", baseline: true},
		{name: "aimed at the directory, baseline", policies: []Policy{at("block", DirectoryApp)},
			baseline: true, want: 53003},
		{name: "aimed at the directory, own scope", policies: []Policy{at("block", DirectoryApp)}},
		{name: "aimed at another", policies: []Policy{at("block", otherApp)}},
		{name: "mfa aimed, own scope", policies: []Policy{at("mfa", myApp)}, mfa: true},
		{name: "mfa aimed, baseline", policies: []Policy{at("mfa", myApp)}, baseline: true},
		{name: "mfa, none there", policies: []Policy{at("mfa", all)}, user: nobody, want: 50079,
			mfa: true},
		{name: "mfa, none there, report only",
			policies: []Policy{state(at("mfa", all), "report-only")}, user: nobody},

		{name: "managed device", policies: []Policy{at("managed-device", all)}, want: 53000},
		{name: "domain joined", policies: []Policy{at("domain-joined-device", all)}, want: 53001},
		{name: "managed device, excluded, own scope",
			policies: []Policy{except(at("managed-device"), myApp)}},
		{name: "block beats a device", policies: []Policy{at("managed-device", all), blockCodes},
			want: 53003},
		{name: "the first block", policies: []Policy{at("managed-device", all),
			at("domain-joined-device", all)}, want: 53000},
		{name: "mfa and block", policies: []Policy{at("mfa", all), blockCodes}, want: 53003,
			mfa: true},

		// These policies have conditions.
		{name: "another flow",
			policies: []Policy{{Name: "p", AuthenticationFlows: []string{"authentication-transfer"},
				Grant: "block"}}},
		{name: "browsers",
			policies: []Policy{{Name: "p", ClientApps: []string{"browser", "other"},
				Grant: "block"}}},
		{name: "desktop clients",
			policies: []Policy{{Name: "p", ClientApps: []string{"mobile-and-desktop"},
				Grant: "block"}}, want: 53003},
		{name: "a user",
			policies: []Policy{users(blockCodes, []string{"USER@contoso.example"}, nil)},
			want:     53003},
		{name: "another user", policies: []Policy{users(blockCodes, []string{nobody}, nil)}},
		{name: "everybody", policies: []Policy{users(blockCodes, []string{all}, nil)}, want: 53003},
		{name: "everybody but",
			policies: []Policy{users(blockCodes, []string{all}, []string{"user@contoso.example"})}},
		{name: "a group of groups",
			policies: []Policy{users(blockCodes, []string{"Operators"}, nil)},
			user:     "admin@contoso.example", want: 53003},
		{name: "everybody but a group",
			policies: []Policy{users(blockCodes, nil, []string{"Operators"})},
			user:     "admin@contoso.example"},
	}
	for _, test := range tests {
		d := Contoso()
		d.Policies, d.BaselineScopes = test.policies, test.setting
		if key, problem := d.problem(); problem != "" {
			t.Errorf("%s: %s: %s", test.name, key, problem)
		}
		u, _ := d.user(orDefaultText(test.user, "user@contoso.example"))
		a := attempt{who: d.subject(u.ObjectID), flow: DeviceCode,
			resource: myApp, mfa: u.Name != nobody}
		if test.baseline {
			a.resource, a.baseline = GraphApp, true
		}
		if r := d.judge(a); r.aadsts != test.want || r.mfa != test.mfa {
			t.Errorf("%s: %d, mfa %v; want %d, %v", test.name, r.aadsts, r.mfa, test.want, test.mfa)
		}
	}
}

// A report-only policy is reported only if it would have refused.
func TestJudgeReport(t *testing.T) {
	d := Contoso()
	d.Policies = []Policy{
		{Name: "device", State: "report-only", Grant: "managed-device"},
		{Name: "factor", State: "report-only", Grant: "mfa"},
		{Name: "codes", Grant: "block"},
	}
	r := d.judge(attempt{flow: DeviceCode, resource: myApp, mfa: true})
	if r.aadsts != 53003 || r.policy.Name != "codes" ||
		!slices.Equal(r.reportOnly, []string{"device"}) {
		t.Errorf("%+v", r)
	}
}

// Policies see a managed device if the browser gets the token, and not with a device code.
func TestJudgeManaged(t *testing.T) {
	d := Contoso()
	d.Policies = []Policy{{Name: "device", Grant: "managed-device"}}
	for flow, want := range map[string]int{DeviceCode: 53000, AuthorizationCode: 0} {
		if r := d.judge(attempt{flow: flow, resource: myApp, managed: true}); r.aadsts != want {
			t.Errorf("%s: %d, want %d", flow, r.aadsts, want)
		}
	}
}

func TestJudgeSecurityDefaults(t *testing.T) {
	tests := []struct {
		block, mfa bool
		flow       string
		want       int
	}{
		{false, true, DeviceCode, 0},
		{false, false, DeviceCode, 50079},
		{true, true, DeviceCode, 530035},
		{true, false, DeviceCode, 530035},
		{true, true, AuthorizationCode, 0},
	}
	for _, test := range tests {
		d := &Directory{SecurityDefaults: true, SecurityDefaultsBlockDeviceCode: test.block}
		want := ruling{aadsts: test.want, audience: myApp, mfa: true}
		r := d.judge(attempt{flow: test.flow, mfa: test.mfa, resource: myApp})
		if !reflect.DeepEqual(r, want) {
			t.Errorf("%+v: %+v", test, r)
		}
	}
}
