// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"net/http"
	"slices"
	"strings"
)

// These are the documents about the machine. In Azure's, every value is a string, and "" if unset.
// Those of Azure Arc's agent have fewer members, some of them null or {}.

type tag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// tagList returns the machine's tags by name, and in the one string of older versions.
func (m Machine) tagList() (list []tag, joined string) {
	list = []tag{}
	for k, v := range m.Tags {
		list = append(list, tag{k, v})
	}
	slices.SortFunc(list, func(a, b tag) int { return strings.Compare(a.Name, b.Name) })
	var words []string
	for _, t := range list {
		words = append(words, t.Name+":"+t.Value)
	}
	return list, strings.Join(words, ";")
}

// compute returns the members that both services have.
func (m Machine) compute() map[string]any {
	list, joined := m.tagList()
	return map[string]any{
		"azEnvironment":              orDefaultText(m.Environment, "AzurePublicCloud"),
		"customData":                 "",
		"isHostCompatibilityLayerVm": "",
		"location":                   m.Location,
		"name":                       m.Name,
		"offer":                      "",
		"osType":                     "Linux",
		"placementGroupId":           "",
		"plan":                       map[string]string{"name": "", "product": "", "publisher": ""},
		"platformFaultDomain":        "",
		"platformUpdateDomain":       "",
		"provider":                   "",
		"publicKeys":                 nil,
		"publisher":                  "",
		"resourceGroupName":          segmentAfter(m.ResourceID, "resourcegroups"),
		"resourceId":                 m.ResourceID,
		"securityProfile": map[string]string{"secureBootEnabled": "",
			"virtualTpmEnabled": ""},
		"sku":            "",
		"storageProfile": map[string]any{},
		"subscriptionId": segmentAfter(m.ResourceID, "subscriptions"),
		"tags":           joined,
		"tagsList":       list,
		"version":        "",
		"vmId":           m.VMID,
		"vmScaleSetName": m.ScaleSet,
		"vmSize":         "",
		"zone":           "",
	}
}

// azureCompute returns the other members of Azure's own service.
func (m Machine) azureCompute() map[string]any {
	none := map[string]string{"uri": ""}
	vault := map[string]string{"id": ""}
	disk := map[string]string{"id": "", "storageAccountType": "StandardSSD_LRS"}
	set := "" // also for an instance of a uniform set, which its resource id names
	vm := strings.LastIndex(strings.ToLower(m.ResourceID), "/microsoft.compute/virtualmachines/")
	if m.ScaleSet != "" && vm >= 0 {
		set = m.ResourceID[:vm] + "/Microsoft.Compute/virtualMachineScaleSets/" + m.ScaleSet
	}
	return map[string]any{
		"additionalCapabilities":     map[string]string{"hibernationEnabled": "false"},
		"evictionPolicy":             "",
		"extendedLocation":           map[string]string{"type": "", "name": ""},
		"hostGroup":                  map[string]string{"id": ""},
		"isHostCompatibilityLayerVm": "false",
		"licenseType":                "",
		"offer":                      "debian-12",
		"osProfile": map[string]string{"adminUsername": "azureuser",
			"computerName": m.Name, "disablePasswordAuthentication": "true"},
		"platformFaultDomain":    "0",
		"platformSubFaultDomain": "",
		"platformUpdateDomain":   "0",
		"priority":               "",
		"provider":               "Microsoft.Compute",
		"publicKeys": []map[string]string{{"keyData": "ssh-ed25519 AAAA",
			"path": "/home/azureuser/.ssh/authorized_keys"}},
		"publisher": "Debian",
		"securityProfile": map[string]string{"encryptionAtHost": "false",
			"secureBootEnabled": "true", "securityType": "TrustedLaunch",
			"virtualTpmEnabled": "true"},
		"sku": "12-gen2",
		"storageProfile": map[string]any{
			"dataDisks": []any{},
			"imageReference": map[string]string{"id": "", "offer": "debian-12",
				"publisher": "Debian", "sku": "12-gen2", "version": "latest"},
			"osDisk": map[string]any{
				"caching": "ReadWrite", "createOption": "FromImage",
				"diffDiskSettings": map[string]string{"option": ""},
				"diskSizeGB":       "30", "image": none,
				"encryptionSettings": map[string]any{
					"enabled":           "false",
					"diskEncryptionKey": map[string]any{"sourceVault": vault, "secretUrl": ""},
					"keyEncryptionKey":  map[string]any{"sourceVault": vault, "keyUrl": ""},
				}, "managedDisk": disk,
				"name": m.Name + "_OsDisk", "osType": "Linux", "vhd": none,
				"writeAcceleratorEnabled": "false",
			},
			"resourceDisk": map[string]string{"size": "4096"},
		},
		"userData":               "",
		"version":                "0.20260101.1",
		"virtualMachineScaleSet": map[string]string{"id": set},
		"vmSize":                 "Standard_B1s",
	}
}

// instance answers with the document about the machine.
func (x *exchange) instance() {
	if !x.metadataAllowed() {
		return
	}
	m := x.dir.Machine
	compute := m.compute()
	if x.onArc() {
		compute["osType"] = "linux"
	} else {
		for k, v := range m.azureCompute() {
			compute[k] = v
		}
	}
	x.json(http.StatusOK, compute)
}

// segmentAfter returns the name behind a type in a resource id.
func segmentAfter(id, kind string) string {
	parts := strings.Split(id, "/")
	for i := 1; i+1 < len(parts); i += 2 {
		if strings.EqualFold(parts[i], kind) {
			return parts[i+1]
		}
	}
	return ""
}
