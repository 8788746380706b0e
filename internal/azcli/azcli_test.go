// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azcli

import (
	"os/exec"
	"strings"
	"testing"

	"aadlogin/internal/rbac"
)

const group = "/subscriptions/AAAA0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/a(b).é/providers/"

// internal/machine runs the commands. This test looks at the names in them, and has a shell parse
// them.
func TestCommands(t *testing.T) {
	for id, want := range map[string]struct{ kind, scope string }{
		group + "Microsoft.Compute/virtualMachines/vm1": {"vm",
			group + "Microsoft.Compute/virtualMachines/vm1"},
		group + "Microsoft.Compute/virtualMachines/web_1a2b3c4d": {"vm",
			group + "Microsoft.Compute/virtualMachines/web_1a2b3c4d"},
		group + "Microsoft.Compute/virtualMachineScaleSets/web/virtualMachines/3": {"vmss",
			group + "Microsoft.Compute/virtualMachineScaleSets/web"},
		group + "microsoft.compute/virtualmachinescalesets/WEB/virtualmachines/3": {"vmss",
			group + "microsoft.compute/virtualmachinescalesets/WEB"},
		group + "Microsoft.HybridCompute/machines/m1": {"",
			group + "Microsoft.HybridCompute/machines/m1"},
	} {
		machine, err := rbac.ParseResource(id)
		if err != nil {
			t.Fatal(err)
		}
		assign, show := "az "+want.kind+" identity assign --ids '"+want.scope+"'", "az "+want.kind+
			" identity show --ids '"+want.scope+"'"
		if want.kind == "" {
			assign, show = "", "az connectedmachine show --ids '"+want.scope+"'"
		}
		need := NeedIdentity(machine)
		if AssignIdentity(machine) != assign || ShowIdentities(machine) != show ||
			!strings.HasSuffix(need, assign) || (need == "") != (assign == "") {
			t.Errorf("%s: %s; %s; %s", id, AssignIdentity(machine), need, ShowIdentities(machine))
		}
		own, named := AssignReader(machine, ""),
			AssignReader(machine, "bbbbbbbb-0000-0000-0000-000000000000")
		if !strings.HasSuffix(own, " --scope '"+want.scope+"'") ||
			strings.Count(own, want.scope) != 2 ||
			!strings.HasSuffix(named, " --scope '"+want.scope+"'") ||
			strings.Count(named, want.scope) != 1 || strings.Contains(named, "principalId") {
			t.Errorf("%s: %s\n%s", id, own, named)
		}
		reader := NeedReader(machine)
		if strings.Count(reader, "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e") != 3 ||
			strings.Contains(reader, "AAAA") || strings.Contains(reader, "%!") {
			t.Errorf("%s: %s", id, reader)
		}
		for _, line := range []string{need, show, reader, own, named} {
			if out, err := exec.Command("sh", "-nc", line).CombinedOutput(); err != nil ||
				line != "" && !strings.HasPrefix(line, "az ") || strings.Contains(line, "\n") {
				t.Errorf("%s: %v: %s", line, err, out)
			}
		}
	}
}
