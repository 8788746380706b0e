// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// This file is the part of the stand-in for the Azure CLI that knows machines. "az vm" knows
// virtual machines, even those of flexible scale sets, and "az vmss" the sets. An instance of a
// uniform set is neither, and has no identity of its own.

var azMachineCommands = map[string]azCommand{
	"vm identity assign":   {oneMachine, machineNames, assignIdentity("virtualMachines")},
	"vm identity show":     {oneMachine, machineNames, showIdentity("virtualMachines")},
	"vm show":              {oneMachine, machineNames, showMachine("virtualMachines")},
	"vmss identity assign": {oneMachine, machineNames, assignIdentity("virtualMachineScaleSets")},
	"vmss identity show":   {oneMachine, machineNames, showIdentity("virtualMachineScaleSets")},
	"vmss show":            {oneMachine, machineNames, showMachine("virtualMachineScaleSets")},
	"resource show": {[][]string{{"ids"}}, map[string]func(string) error{"ids": isResourceID},
		func(a azArguments) (any, error) {
			return showResource(a["ids"])
		}},
}

var (
	oneMachine   = [][]string{{"ids", "resource-group"}, {"ids", "name"}}
	machineNames = map[string]func(string) error{"ids": isResourceID,
		"resource-group": given, "name": given}
	isResourceID = matching(`/subscriptions/`+guidPattern+
		`/resourceGroups/[^/]+/providers/[^/]+/[^/]+/[^/]+(/[^/]+/[^/]+)?`, "a resource id")
)

// machineIdentity is the identity that the emulator's machine gets if one is assigned.
var machineIdentity = emulator.Identity{Name: "demo-vm",
	ObjectID: "bbbbbbbb-1111-2222-3333-cccccccccccc",
	ClientID: "11112222-bbbb-3333-cccc-4444dddd5555", SystemAssigned: true}

// azElsewhere has the object ids of the identities of other virtual machines, by the machine's id;
// "" means none.
var azElsewhere = map[string]string{}

var uniformInstance = regexp.MustCompile(`(?i)^(.*/Microsoft\.Compute/virtualMachineScaleSets/[^/]+)/virtualMachines/[^/]+$`)

// azResource returns where the CLI looks for a resource: an id's first name under the type of the
// command.
func azResource(kind string, a azArguments) string {
	group := strings.Join(strings.Split(demoVM, "/")[:3], "/") +
		"/resourceGroups/" + a["resource-group"]
	name := a["name"]
	if id := a["ids"]; id != "" {
		segments := strings.Split(id, "/")
		group, name = strings.Join(segments[:5], "/"), segments[8]
	}
	return group + "/providers/Microsoft.Compute/" + kind + "/" + name
}

// showResource returns a machine or a scale set as Resource Manager does.
func showResource(id string) (shown map[string]any, err error) {
	shown = map[string]any{"id": id, "identity": nil}
	holder, found := "", azElsewhere[id]
	err = rig.Entra.Update(func(d *emulator.Directory) {
		holder = d.Machine.ResourceID
		if m := uniformInstance.FindStringSubmatch(holder); m != nil {
			holder = m[1]
		}
		switch _, elsewhere := azElsewhere[id]; {
		case strings.EqualFold(id, holder):
			shown["identity"] = identityOf(d.Identities)
		case elsewhere && found != "":
			shown["identity"] = identityOf([]emulator.Identity{
				{ObjectID: found, SystemAssigned: true},
			})
		case !elsewhere && !strings.EqualFold(id, d.Machine.ResourceID):
			shown = nil
		}
	})
	if shown == nil {
		segments := strings.Split(id, "/")
		return nil, fmt.Errorf("(ResourceNotFound) The Resource '%s' under resource group '%s' "+
			"was not found.", strings.Join(segments[6:], "/"), segments[4])
	}
	return shown, err
}

// identityOf returns the member "identity".
func identityOf(all []emulator.Identity) any {
	var kinds []string
	var own, assigned any
	users := map[string]any{}
	for _, one := range all {
		if one.SystemAssigned {
			own, kinds = one.ObjectID, append(kinds, "SystemAssigned")
			continue
		}
		users["/subscriptions/s/resourceGroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"+one.Name] = map[string]any{
			"clientId": one.ClientID, "principalId": one.ObjectID}
	}
	if len(users) > 0 {
		assigned, kinds = users, append(kinds, "UserAssigned")
	}
	if kinds == nil {
		return nil
	}
	return map[string]any{
		"principalId":            own,
		"type":                   strings.Join(kinds, ", "),
		"userAssignedIdentities": assigned,
	}
}

func showMachine(kind string) func(azArguments) (any, error) {
	return func(a azArguments) (any, error) { return showResource(azResource(kind, a)) }
}

func showIdentity(kind string) func(azArguments) (any, error) {
	return func(a azArguments) (any, error) {
		shown, err := showResource(azResource(kind, a))
		return shown["identity"], err
	}
}

func assignIdentity(kind string) func(azArguments) (any, error) {
	return func(a azArguments) (any, error) {
		id := azResource(kind, a)
		if _, err := showResource(id); err != nil {
			return nil, err
		}
		if _, elsewhere := azElsewhere[id]; elsewhere {
			azElsewhere[id] = fmt.Sprintf("bbbbbbbb-1111-2222-3333-%012d", len(azElsewhere))
			return map[string]any{"systemAssignedIdentity": azElsewhere[id]}, nil
		}
		return map[string]any{"systemAssignedIdentity": machineIdentity.ObjectID},
			rig.Entra.Update(func(d *emulator.Directory) {
				system := func(i emulator.Identity) bool { return i.SystemAssigned }
				if !slices.ContainsFunc(d.Identities, system) {
					d.Identities = append(d.Identities, machineIdentity)
				}
			})
	}
}

// azPrincipal matches the only --query with an alternative: the system-assigned identity, or all
// others.
const azPrincipal = "identity.principalId || identity.userAssignedIdentities.*.principalId"

func principalOf(result any) (any, error) {
	object, _ := result.(map[string]any)
	identity, _ := object["identity"].(map[string]any)
	if identity == nil {
		return "", nil // null, of which --output tsv prints an empty line
	}
	if own := identity["principalId"]; own != nil {
		return own, nil
	}
	all, _ := identity["userAssignedIdentities"].(map[string]any)
	if all == nil {
		return nil, errors.New("an identity of no kind")
	}
	var others []any
	for _, one := range all {
		others = append(others, one.(map[string]any)["principalId"])
	}
	return others, nil
}
