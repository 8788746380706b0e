// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/signin"
)

// The remedy for an identity without a token depends on the identities of the machine. If there are
// two and none is named, a third does not help.
func TestIdentityThatIsNotMeant(t *testing.T) {
	one := emulator.Identity{Name: "1", ObjectID: "22222222-0000-0000-0000-000000000000",
		ClientID: "bbbbbbbb-0000-0000-0000-000000000000"}
	two := emulator.Identity{Name: "2", ObjectID: "33333333-0000-0000-0000-000000000000",
		ClientID: "cccccccc-0000-0000-0000-000000000000"}
	for name, test := range map[string]struct {
		have    []emulator.Identity
		line    string
		fix     string
		command string
	}{
		"none": {nil, "", "az vm identity assign",
			"az vm identity assign --ids '/subscriptions/"},
		"two": {[]emulator.Identity{one, two}, "", "set authorization.managed_identity",
			""},
		"another": {[]emulator.Identity{one}, `authorization.managed_identity = "` +
			two.ClientID + `"`, "authorization.managed_identity is " + two.ClientID, ""},
		"the only one": {[]emulator.Identity{one}, "", "", ""},
		"one that is": {[]emulator.Identity{one, two}, `authorization.managed_identity = "` +
			two.ClientID + `"`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := emulator.Contoso()
			d.Identities, d.Assignments = test.have, nil
			entra := &emulator.Server{Directory: d}
			if err := entra.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { entra.Close() })
			h := host(t, entra, test.line)
			probe, err := signin.NewProbe(t.Context(), h.Config)
			if err != nil {
				t.Fatal(err)
			}
			r := remote{h, probe}
			r.openID(t.Context())
			r.machine(t.Context())
			finding := r.identity(t.Context())[0]
			if (finding.Status == OK) != (test.fix == "") || !strings.Contains(finding.Fix,
				test.fix) || !strings.HasPrefix(finding.Command, test.command) ||
				(finding.Command == "") != (test.command == "") {
				t.Errorf("%+v", finding)
			}
		})
	}
}

// A resource id of another machine is a mistake, because roles would be looked up there. A scope
// above this machine is none.
func TestResourceOfAnotherMachine(t *testing.T) {
	id := emulator.Contoso().Machine.ResourceID
	group, _, _ := strings.Cut(id, "/providers/")
	for line, status := range map[string]Status{
		"": OK,
		`authorization.resource_id = "` + id +
			`"`: OK,
		`authorization.resource_id = "` + strings.ToUpper(id) +
			`"`: OK,
		`authorization.resource_id = "` + id[:len(id)-1] +
			`n"`: Warning,
		`authorization.resource_id = "` + id[:len(id)-1] +
			`"`: Warning,
		`authorization.resource_id = "` + group +
			`/providers/Microsoft.Compute/virtualMachines/another"`: Warning,
	} {
		entra := new(emulator.Server)
		if err := entra.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { entra.Close() })
		h := host(t, entra, line)
		probe, err := signin.NewProbe(t.Context(), h.Config)
		if err != nil {
			t.Fatal(err)
		}
		finding := remote{h, probe}.machine(t.Context())[0]
		if finding.Status != status || (status == Warning) != strings.HasPrefix(finding.Command,
			"sed -Ei 's/^") || status == Warning && !strings.Contains(finding.Found, id) {
			t.Errorf("%s: %+v", line, finding)
		}
	}
}

// An answer that does not depend on the person, such as that the machine is not there, keeps
// everybody out. Another answer may be about the account that was asked about, which is nobody's.
func TestAzureKnowsNoSuchMachine(t *testing.T) {
	entra := new(emulator.Server)
	if err := entra.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { entra.Close() })
	for code, test := range map[string]struct {
		http   int
		status Status
		fix    string
	}{
		"ResourceNotFound":           {404, Failed, "az resource show"},
		"ResourceGroupNotFound":      {404, Failed, "az resource show"},
		"SubscriptionNotFound":       {404, Failed, "az resource show"},
		"InvalidApiVersionParameter": {400, Failed, "update aad-login"},
		"NoRegisteredProviderFound":  {400, Failed, "update aad-login"},
		"PrincipalNotFound":          {404, Warning, "after the first sign-in"},
		"BadRequest":                 {400, Warning, "after the first sign-in"},
	} {
		entra.Heal()
		entra.Fail(emulator.Fault{Endpoint: "checkaccess", Status: test.http, Error: code})
		var all []Finding
		host(t, entra, "").Remote(t.Context(), func(more []Finding) { all = append(all, more...) })
		if last := all[len(all)-1]; last.Check != "authorization" || last.Status != test.status ||
			!strings.Contains(last.Fix, test.fix) {
			t.Errorf("%s: %+v", code, last)
		}
	}
}

// The commands name the resource with the identity and the roles, and the identity that asks. A new
// role is only proposed if one is missing.
func TestCommandsForTheMachine(t *testing.T) {
	const compute = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/a(b)/providers/Microsoft.Compute/"
	const named = "cccccccc-0000-0000-0000-000000000000"
	own := emulator.Identity{Name: "1", ObjectID: "22222222-0000-0000-0000-000000000000",
		ClientID: "bbbbbbbb-0000-0000-0000-000000000000", SystemAssigned: true}
	other := emulator.Identity{Name: "2", ObjectID: "33333333-0000-0000-0000-000000000000",
		ClientID: named}
	for name, test := range map[string]struct {
		id, environment, line string
		fault                 *emulator.Fault
		assign, authorize     []string // parts of the commands
	}{
		"a virtual machine": {id: compute + "virtualMachines/vm1",
			assign: []string{"az vm identity assign --ids '" + compute + "virtualMachines/vm1'"},
			authorize: []string{"az role assignment create ", "$(az resource show --ids '" +
				compute + "virtualMachines/vm1' ", " --scope '" +
				compute + "virtualMachines/vm1'"}},
		"of a uniform scale set": {id: compute + "virtualMachineScaleSets/web/virtualMachines/3",
			assign: []string{"az vmss identity assign --ids '" + compute +
				"virtualMachineScaleSets/web'"},
			authorize: []string{"az role assignment create ", "$(az resource show --ids '" +
				compute + "virtualMachineScaleSets/web' ", " --scope '" + compute +
				"virtualMachineScaleSets/web'"}},
		"a named identity": {id: compute + "virtualMachines/vm1",
			line: `authorization.managed_identity = "` + named + `"`,
			authorize: []string{"az role assignment create ", "$(az ad sp show --id '" +
				named + "' --query id "}},
		"another cloud": {id: compute + "virtualMachines/vm1", environment: "AzureChinaCloud",
			assign: []string{"az vm identity assign "},
			authorize: []string{"az role definition list ", "az role definition update ",
				"; az role assignment create "}},
		"a wrong clock": {id: compute + "virtualMachines/vm1",
			fault: &emulator.Fault{Endpoint: "checkaccess", Status: 401,
				Error: "ExpiredAuthenticationToken"},
			assign: []string{"az vm identity assign "}},
	} {
		t.Run(name, func(t *testing.T) {
			d := emulator.Contoso()
			d.Machine.ResourceID, d.Machine.Environment, d.Identities, d.Assignments = test.id,
				test.environment, nil, nil
			entra := &emulator.Server{Directory: d}
			if err := entra.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { entra.Close() })
			look := func(check func(remote) []Finding, want []string) {
				t.Helper()
				h := host(t, entra, test.line)
				probe, err := signin.NewProbe(t.Context(), h.Config)
				if err != nil {
					t.Fatal(err)
				}
				r := remote{h, probe}
				r.openID(t.Context())
				r.machine(t.Context())
				finding := check(r)[0]
				if finding.Status == OK || (finding.Command == "") != (want == nil) {
					t.Errorf("%+v", finding)
				}
				for _, part := range want {
					if !strings.Contains(finding.Command, part) || strings.Contains(finding.Command,
						"virtualMachineScaleSets/web/") {
						t.Errorf("no %s in %+v", part, finding)
					}
				}
			}
			look(func(r remote) []Finding { return r.identity(t.Context()) }, test.assign)
			if err := entra.Update(func(d *emulator.Directory) {
				d.Identities = []emulator.Identity{own, other}
			}); err != nil {
				t.Fatal(err)
			}
			if test.fault != nil {
				entra.Fail(*test.fault)
			}
			look(func(r remote) []Finding { return r.authorization(t.Context()) }, test.authorize)
		})
	}
}
