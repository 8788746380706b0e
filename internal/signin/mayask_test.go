// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"strings"
	"testing"

	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
)

// A role is advised only where one is missing.
func TestMayAsk(t *testing.T) {
	const role = "Microsoft.Authorization/*/read"
	tests := []struct {
		op     string
		status int
		code   string
		said   string
		source string
		named  string // authorization.managed_identity
		want   string
	}{
		{azure.ResourceManager, 403, "AuthorizationFailed", "", config.CheckAccess, "", role},
		{azure.ResourceManager, 403, "authorizationfailed", "", config.RoleAssignments, "", role},
		{azure.ResourceManager, 403, "AuthorizationFailed", "", config.Permissions,
			"", "user_impersonation"},
		{azure.ResourceManager, 403, "", "", config.CheckAccess, "", "what Azure said"},
		{azure.ResourceManager, 401, "ExpiredAuthenticationToken", "",
			config.CheckAccess, "", "timedatectl"},
		{azure.ResourceManager, 401, "InvalidAuthenticationTokenTenant", "",
			config.CheckAccess, "", "tenant_id"},
		{azure.ResourceManager, 401, "InvalidAuthenticationTokenAudience", "", config.CheckAccess,
			"", "endpoints.resource_manager"},
		{azure.ResourceManager, 401, "", "", config.CheckAccess, "", "endpoints.resource_manager"},
		{azure.ResourceManager, 404, "SubscriptionNotFound", "",
			config.CheckAccess, "", "az resource show"},
		{azure.ResourceManager, 404, "ResourceNotFound", "",
			config.Permissions, "", "az resource show"},
		{azure.ResourceManager, 404, "ResourceGroupNotFound", "",
			config.CheckAccess, "", "az resource show"},
		{azure.ResourceManager, 409, "Conflict", "", config.CheckAccess, "", "what Azure said"},
		{azure.ResourceManager, 400, "InvalidApiVersionParameter", "The api-version is invalid",
			config.CheckAccess, "", "update aad-login"},
		{azure.ResourceManager, 400, "NoRegisteredProviderFound", "",
			config.CheckAccess, "", "update aad-login"},
		{azure.IdentityToken, 400, "invalid_request", "Identity not found", config.CheckAccess,
			"", "az vm identity assign"},
		{azure.IdentityToken, 400, "invalid_request", "Identity not found", config.CheckAccess,
			"some-id", "authorization.managed_identity is some-id"},
		{azure.IdentityToken, 400, "invalid_request",
			"Multiple user assigned identities exist, please specify", config.CheckAccess, "",
			"set authorization.managed_identity"},
		{azure.IdentityToken, 400, "invalid_request",
			"The api-version is invalid. Supported are 2019-11-01",
			config.CheckAccess, "", "azcmagent version"},
		{azure.MachineMetadata, 400, "invalid_request",
			"The api-version not specified. Supported are v1",
			config.CheckAccess, "", "azcmagent version"},
		{azure.MachineMetadata, 404, "Not found. Invalid version requested", "",
			config.CheckAccess, "", "azcmagent version"},
		{azure.MachineMetadata, 400, "", "", config.CheckAccess, "", "authorization.resource_id"},
	}
	for _, test := range tests {
		cfg := new(config.Config)
		cfg.Authorization.Source, cfg.Authorization.ManagedIdentity = test.source, test.named
		got := mayAsk(
			&azure.Error{Op: test.op, Status: test.status, Code: test.code, Message: test.said},
			cfg, rbac.Resource{})
		if !strings.Contains(got, test.want) || strings.Contains(got, role) != (test.want == role) {
			t.Errorf("%s %d %s: %s", test.op, test.status, test.code, got)
		}
	}
}

// A fix for an instance of a uniform scale set names the set.
func TestMayAskNamesTheMachine(t *testing.T) {
	const compute = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/a(b)/providers/Microsoft.Compute/"
	const arc = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/a(b)/providers/Microsoft.HybridCompute/machines/m1"
	for id, want := range map[string]struct{ scope, assign, list string }{
		compute + "virtualMachines/vm1": {compute + "virtualMachines/vm1",
			"az vm identity assign --ids '" + compute + "virtualMachines/vm1'",
			"az vm identity show --ids '" + compute + "virtualMachines/vm1' "},
		compute + "virtualMachineScaleSets/web/virtualMachines/3": {compute +
			"virtualMachineScaleSets/web",
			"az vmss identity assign --ids '" + compute + "virtualMachineScaleSets/web'",
			"az vmss identity show --ids '" + compute + "virtualMachineScaleSets/web' "},
		arc: {arc, "azcmagent connect", "az connectedmachine show --ids '" + arc + "' "},
	} {
		machine, err := rbac.ParseResource(id)
		if err != nil {
			t.Fatal(err)
		}
		cfg := new(config.Config)
		cfg.Authorization.Source = config.CheckAccess
		none := &azure.Error{Op: azure.IdentityToken, Status: 400, Message: "Identity not found"}
		several := &azure.Error{
			Op: azure.IdentityToken, Status: 400,
			Message: "Multiple user assigned identities exist",
		}
		noRole := &azure.Error{Op: azure.ResourceManager, Status: 403, Code: "AuthorizationFailed"}
		if got := mayAsk(none, cfg, machine); !strings.HasSuffix(got, ": "+want.assign) {
			t.Errorf("%s: %s", id, got)
		}
		if got := mayAsk(several, cfg, machine); !strings.Contains(got, "; "+want.list) {
			t.Errorf("%s: %s", id, got)
		}
		if got := mayAsk(noRole, cfg, machine); !strings.Contains(got, " at "+want.scope+";") {
			t.Errorf("%s: %s", id, got)
		}
	}
}
