// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

const (
	otherSubscription = "/subscriptions/bbbb1b1b-cc2c-dd3d-ee4e-ffffff5f5f5f"
	otherVM           = otherSubscription +
		"/resourceGroups/a(b)/providers/Microsoft.Compute/virtualMachines/other-vm"
	otherArc = otherSubscription +
		"/resourceGroups/demo/providers/Microsoft.HybridCompute/machines/other-arc"
	demoSet = currentAccount +
		"/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web"
	demoFlexible = currentAccount +
		"/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/web_1a2b3c4d"
)

// forThisMachine runs the commands that "aadctl setup" prints for a machine, in two shells. In the
// second one nothing is left to do.
func forThisMachine(t *testing.T, id string, lines ...string) {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("accounts.directory = %q\nendpoints.metadata = %q\nendpoints.authority = "+
		"%q\nendpoints.ca_file = %q\n%s\n",
		dir, rig.Entra.MetadataURL(), rig.Entra.EntraURL(), rig.CAFile, strings.Join(lines, "\n"))
	if err := os.WriteFile(dir+"/config.toml", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{
		"--config", dir + "/config.toml", "setup", "--tenant", emulator.Contoso().TenantID,
		"--client", emulator.Contoso().ClientID, "--domain", "contoso.example",
	}
	if id != "" {
		args = append(args, "--resource-id", id)
	}
	out := rig.Must(t, "aadctl", args...)
	_, rest, found := strings.Cut(out, "\n# Consent")
	_, rest, _ = strings.Cut(rest, "\n# Th")
	if !found || rest == "" {
		t.Fatal(out)
	}
	script := strings.ReplaceAll(
		strings.Join(regexp.MustCompile(`(?m)^(az|#) .*$`).FindAllString(rest, -1), "\n"),
		"PERSON@", "user@")
	for _, shell := range []string{"bash", "dash"} {
		rig.Must(t, shell, "-euc", script)
	}
}

// The commands that "aadctl setup" prints allow each machine to ask, and no more. They use Azure's
// own role, or, in a cloud without it, one of the tenant's that all subscriptions share. For an
// instance of a uniform scale set the role is assigned to the set.
func TestRolesOfMachines(t *testing.T) {
	t.Setenv("PATH", azOnPath(t)+":"+os.Getenv("PATH"))
	client := emulator.Identity{
		Name: "fleet", ObjectID: "22222222-0000-4000-8000-000000000000",
		ClientID: "bbbbbbbb-0000-4000-8000-000000000000",
	}
	other := emulator.Role{
		ID: "10101010-1111-4000-8000-000000000001", Name: "another of the tenant's",
		Actions: []string{"*/read"},
	}
	for _, test := range []struct {
		name  string
		lacks bool // Azure's own role
		role  string
	}{
		{"the public cloud", false, accessName},
		{"another cloud", true, ownReader},
	} {
		t.Run(test.name, func(t *testing.T) {
			azTenant = azRoles{withoutReader: test.lacks}
			azElsewhere = map[string]string{
				otherVM:  "cccccccc-1111-4222-8333-dddddddddddd",
				otherArc: "dddddddd-1111-4222-8333-eeeeeeeeeeee",
			}
			rig.Directory(t,
				func(d *emulator.Directory) {
					d.Assignments, d.Roles, d.Identities = nil, []emulator.Role{other}, nil
				})
			now := func(id string, identities ...emulator.Identity) {
				if err := rig.Entra.Update(func(d *emulator.Directory) {
					d.Machine.ResourceID, d.Machine.ScaleSet, d.Identities = id, "web", identities
				}); err != nil {
					t.Fatal(err)
				}
			}
			var want []emulator.Assignment
			gave := func(principal, scope string) {
				t.Helper()
				const user = "user@contoso.example"
				want = append(want,
					emulator.Assignment{Principal: principal, Role: test.role, Scope: scope},
					emulator.Assignment{Principal: user, Role: rig.AdminRole, Scope: scope},
					emulator.Assignment{Principal: user, Role: rig.LoginRole, Scope: scope})
				if err := rig.Entra.Update(func(d *emulator.Directory) {
					if !slices.Equal(d.Assignments, want) {
						t.Errorf("got  %v\nwant %v", d.Assignments, want)
					}
				}); err != nil {
					t.Fatal(err)
				}
			}
			now(demoSet + "/virtualMachines/3")
			forThisMachine(t, "")
			gave(machineIdentity.ObjectID, demoSet)
			forThisMachine(t, otherVM)
			gave("cccccccc-1111-4222-8333-dddddddddddd", otherVM)
			if test.lacks {
				forThisMachine(t, otherArc)
				gave("dddddddd-1111-4222-8333-eeeeeeeeeeee", otherArc)
			} else {
				page := strings.NewReplacer("GROUP", "demo", "SET", "web",
					"alice@contoso.com", "user@contoso.example")
				rig.Must(t, "bash", "-euc",
					page.Replace(blockOf(t, "docs/azure.md", "az vmss show"))) // the same once more
				now(demoFlexible, client) // its only identity
				forThisMachine(t, "")
				gave(client.ObjectID, demoFlexible)
				now(demoVM, machineIdentity, client)
				forThisMachine(t, "",
					fmt.Sprintf("authorization.managed_identity = %q", client.ClientID))
				gave(client.ObjectID, demoVM)
			}
			scopes := azTenant.scopes[ownReader]
			if test.lacks != slices.Equal(scopes, []string{currentAccount, otherSubscription}) ||
				azTenant.updates > 1 {
				t.Errorf("the tenant's role: %v after %d updates", scopes, azTenant.updates)
			}
			if err := rig.Entra.Update(func(d *emulator.Directory) {
				roles := d.Roles
				reads := []string{"Microsoft.Authorization/*/read"}
				if !slices.Equal(roles[0].Actions, other.Actions) ||
					(len(roles) == 2) != test.lacks {
					t.Errorf("the tenant's roles: %+v", roles)
				} else if test.lacks &&
					(!slices.Equal(roles[1].Actions, reads) || len(roles[1].DataActions) > 0) {
					t.Errorf("the new role: %+v", roles[1])
				}
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
