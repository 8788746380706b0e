// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import "strings"

// A Cloud is one of Microsoft's separate Azure clouds, with the addresses of its services. There
// are more sovereign clouds than this table has; for them the configuration names the endpoints.
type Cloud struct {
	Name            string // as in config.toml: "public"
	Environment     string // as the metadata service says it: "AzurePublicCloud"
	Authority       string // base URL of the Entra ID login service
	ResourceManager string // base URL of Azure Resource Manager
	Audience        string // resource a managed identity asks a token for
}

// Clouds returns the clouds whose endpoints are known, the public one first. Source:
// https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure and
// https://learn.microsoft.com/azure/china/resources-developer-guide.
func Clouds() []Cloud {
	return []Cloud{
		{
			Name:            "public",
			Environment:     "AzurePublicCloud",
			Authority:       "https://login.microsoftonline.com",
			ResourceManager: "https://management.azure.com",
			Audience:        "https://management.azure.com/",
		},
		{
			Name:            "usgovernment",
			Environment:     "AzureUSGovernmentCloud",
			Authority:       "https://login.microsoftonline.us",
			ResourceManager: "https://management.usgovcloudapi.net",
			Audience:        "https://management.usgovcloudapi.net/",
		},
		{
			Name:            "china",
			Environment:     "AzureChinaCloud",
			Authority:       "https://login.partner.microsoftonline.cn",
			ResourceManager: "https://management.chinacloudapi.cn",
			Audience:        "https://management.chinacloudapi.cn/",
		},
	}
}

// CloudByName returns the cloud that config.toml calls name.
func CloudByName(name string) (Cloud, bool) {
	for _, c := range Clouds() {
		if c.Name == name {
			return c, true
		}
	}
	return Cloud{}, false
}

// CloudByEnvironment returns the cloud with the azEnvironment that the metadata service reports.
// The case of that word varies between API versions.
func CloudByEnvironment(environment string) (Cloud, bool) {
	for _, c := range Clouds() {
		if strings.EqualFold(c.Environment, environment) {
			return c, true
		}
	}
	return Cloud{}, false
}
