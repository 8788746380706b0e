// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"cmp"
	"strings"

	"aadlogin/internal/azcli"
	"aadlogin/internal/azure"
	"aadlogin/internal/rbac"
	"aadlogin/internal/shell"
)

// wayOut adds a remedy to a network failure that has none: the host to reach, and the command that
// shows its answer.
func (h *Host) wayOut(check string, r Finding) Finding {
	if r.Status != Failed || r.Command != "" || r.Fix != "" && r.Fix != hangs {
		return r
	}
	switch {
	case r.Kind == Configuration:
		return r.fix("correct it in " + h.configPath() + ": man aad-login.toml").run(apply)
	case (check == "machine" || check == "identity") && h.onArc():
		return heardOf(r, cmp.Or(h.Config.Endpoints.Metadata, azure.DefaultArc)).
			fix("the agent of Azure Arc must run, and be connected to Azure").run("azcmagent show")
	case check == "machine" || check == "identity":
		url := cmp.Or(h.Config.Endpoints.Metadata, azure.DefaultMetadata)
		return heardOf(r, url).
			fix("on a VM in Azure, let root reach it directly: past firewall, container and " +
				"proxy; on a machine that is not in Azure, set authorization.source = " +
				"\"app-roles\" and cloud").
			run("curl -sS -m 10 --noproxy '*' -H Metadata:true '" + url +
				"/metadata/instance?api-version=2021-02-01'")
	}
	url := h.authority() + "/" + h.Config.TenantID + "/v2.0/.well-known/openid-configuration"
	if check == "authorization" {
		url = h.resourceManager() + "/metadata/endpoints?api-version=2022-09-01"
	}
	return h.overTheNetwork(heardOf(r, origin(url)), url)
}

// onArc reports whether the configuration names a machine of Azure Arc, whose agent is asked in the
// place of Azure's metadata service.
func (h *Host) onArc() bool {
	machine, _ := rbac.ParseResource(h.Config.Authorization.ResourceID)
	return machine.OnArc()
}

// heardOf adds the host that did not answer to the finding of a check that hangs.
func heardOf(r Finding, whom string) Finding {
	if r.Fix == hangs {
		r.Found += " from " + whom
	}
	return r
}

func (h *Host) overTheNetwork(r Finding, url string) Finding {
	e := h.Config.Endpoints
	curl := "curl -sSv -m 10"
	if e.CAFile != "" {
		curl += " --cacert " + shell.Word(e.CAFile)
	}
	if e.Proxy != "" {
		return r.fix("endpoints.proxy, " + e.Proxy + ", must run and let this machine through to " +
			origin(url) + "; what answers may be a page of its own").
			run(curl + " -x " + shell.Word(e.Proxy) + " " + shell.Word(url))
	}
	return r.fix("root must reach " + origin(url) +
		": name resolution, routes and firewall, or a proxy in endpoints.proxy; what answers may " +
		"be the page of a portal").run(curl + " --noproxy '*' " + shell.Word(url))
}

func origin(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// authority and resourceManager come from the configuration alone. They do not ask the metadata
// service, which may be what is missing.
func (h *Host) authority() string {
	return cmp.Or(h.Config.Endpoints.Authority, h.cloud().Authority)
}

func (h *Host) resourceManager() string {
	return cmp.Or(h.Config.Endpoints.ResourceManager, h.cloud().ResourceManager)
}

func (h *Host) cloud() azure.Cloud {
	cloud, known := azure.CloudByName(h.Config.Cloud)
	if !known {
		cloud, _ = azure.CloudByName("public")
	}
	return cloud
}

// mayAskCommand returns the command that gives the asking identity the one permission that it
// needs. Only Azure's public cloud is known to have a role for it.
func (r remote) mayAskCommand() string {
	machine, err := r.resource()
	if err != nil {
		return ""
	}
	command := azcli.AssignReader(machine, r.Config.Authorization.ManagedIdentity)
	if r.probe.Cloud() == "public" {
		return command
	}
	return azcli.NeedReader(machine) + "; " + command
}

// resource returns this machine's resource, once it is known.
func (r remote) resource() (rbac.Resource, error) {
	id, err := r.probe.Machine()
	if err != nil {
		return rbac.Resource{}, err
	}
	return rbac.ParseResource(id)
}
