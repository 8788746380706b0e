// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"
	"net/http"
	"strings"

	"aadlogin/internal/azcli"
	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
)

// mayAsk says what lets a machine ask a service that has refused it. Each service refuses for
// reasons of its own, and a fix for one does not help with another: a role is no help against a
// token of another tenant. machine is zero if it is not known.
func mayAsk(refused *azure.Error, cfg *config.Config, machine rbac.Resource) string {
	switch {
	case refused.Forbidden():
		return forbiddenFix(thisProcess(), cfg)
	case refused.Op != azure.ResourceManager && refused.UnknownVersion():
		return "the service does not know the version it was asked with: update the agent of " +
			"Azure Arc if this machine has one (azcmagent version)"
	case refused.Op == azure.IdentityToken:
		return identityFix(refused, cfg.Authorization.ManagedIdentity, machine)
	case refused.Op == azure.MachineMetadata:
		return "see what answers at the metadata service's address; cloud and " +
			"authorization.resource_id, once set, save asking it"
	}
	return managerFix(refused, cfg, machine)
}

// identityFix is mayAsk for the managed identity's token.
func identityFix(refused *azure.Error, named string, machine rbac.Resource) string {
	list := "az vm identity show, az vmss identity show or az connectedmachine show"
	assign := "az vm identity assign, az vmss identity assign, or azcmagent connect for Azure Arc"
	if machine != (rbac.Resource{}) {
		list = azcli.ShowIdentities(machine)
		assign = cmp.Or(azcli.AssignIdentity(machine), "azcmagent connect")
	}
	switch {
	case refused.SeveralIdentities():
		return "the machine has several identities: set authorization.managed_identity to the " +
			"client id of the one that may ask; " + list + " lists them"
	case named != "" && refused.Status == http.StatusBadRequest:
		return "authorization.managed_identity is " + named +
			", which may be none of this machine's identities; " + list + " lists them"
	default:
		return "switch on the machine's managed identity: " + assign
	}
}

// managerFix is mayAsk for Resource Manager, whose code says what is wrong.
func managerFix(refused *azure.Error, cfg *config.Config, machine rbac.Resource) string {
	code := strings.ToLower(refused.Code)
	switch {
	case code == "authorizationfailed" && cfg.Authorization.Source != config.Permissions:
		return "give the machine's managed identity a role with Microsoft.Authorization/*/read at " + cmp.Or(machine.Scope(), "the machine") +
			"; aadctl check prints the command"
	case cfg.Authorization.Source == config.Permissions &&
		(refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden):
		return "give the application registration the delegated permission user_impersonation of " +
			"Azure Service Management"
	case code == "expiredauthenticationtoken":
		return "see that the clock is right: timedatectl"
	case code == "invalidauthenticationtokentenant":
		return "the subscription is of another tenant than the machine's identity: see tenant_id " +
			"and authorization.resource_id"
	case code == "invalidauthenticationtokenaudience", refused.Status == http.StatusUnauthorized:
		return "see that cloud and endpoints.resource_manager name this machine's cloud"
	case refused.Status == http.StatusNotFound:
		return "the machine may have been moved, renamed or deleted: compare " +
			"authorization.resource_id, if it is set, with az resource show"
	case strings.Contains(code, "apiversion"), code == "noregisteredproviderfound":
		return "Azure no longer takes what this version asks: update aad-login"
	default:
		return "see what Azure said in error"
	}
}
