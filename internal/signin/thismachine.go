// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aadlogin/internal/azure"
	"aadlogin/internal/cache"
	"aadlogin/internal/config"
	"aadlogin/internal/rbac"
)

// metadataAge is how long sign-ins share an answer of the metadata service. The service answers
// five questions a second, and a hundred people may come at once.
const metadataAge = 5 * time.Minute

// fromMetadata asks the metadata service, or uses an answer that is younger than metadataAge. An
// answer from before the last boot is not used: an image of this machine's disk is another machine.
func fromMetadata[T any](a *attempt, what string, ask func() (T, error)) (T, error) {
	kept := cache.Dir{Path: a.CacheDir, Now: a.Now}
	boot, _ := a.Uptime()
	key := a.metadataKey(what)
	var known struct {
		Boot string
		Said T
	}
	text, _, ok := kept.Get(key, metadataAge)
	if ok && json.Unmarshal(text, &known) == nil && boot != "" && known.Boot == boot {
		return known.Said, nil
	}
	said, err := ask()
	if err != nil {
		return said, err
	}
	known.Boot, known.Said = boot, said
	if text, err := json.Marshal(known); err == nil {
		kept.Put(key, text)
	}
	return said, nil
}

// forget drops an answer of the metadata service.
func (a *attempt) forget(what string) {
	cache.Dir{Path: a.CacheDir, Now: a.Now}.Put(a.metadataKey(what), nil)
}

// metadataKey names an answer of the metadata service in the cache.
func (a *attempt) metadataKey(what string) string {
	return fmt.Sprintf("%s of %q", what, a.cfg.Endpoints.Metadata)
}

// movedTo returns the new resource of this machine, if Resource Manager refused the one that
// metadata named a while ago: a machine can be moved to another resource group. A resource that the
// configuration names is not looked for.
func (a *attempt) movedTo(ctx context.Context, c *cloud, err error) (rbac.Resource, bool) {
	var refused *azure.Error
	gone := errors.As(err, &refused) && refused.Op == azure.ResourceManager &&
		(refused.Status == http.StatusForbidden || refused.Status == http.StatusNotFound)
	if !gone || a.cfg.Authorization.ResourceID != "" {
		return rbac.Resource{}, false
	}
	a.forget("instance")
	now, err := findResource(a.cfg, func() (azure.Compute, error) {
		return a.compute(ctx, &c.metadata)
	})
	return now, err == nil && !strings.EqualFold(now.String(), c.resource.String())
}

func (a *attempt) compute(ctx context.Context, m *azure.Metadata) (azure.Compute, error) {
	return fromMetadata(a, "instance", func() (azure.Compute, error) { return m.Compute(ctx) })
}

// compareTenants finds a tenant_id that is not this machine's. Nobody of that tenant can have a
// role here. It is no error if metadata cannot say: without a managed identity the service does not
// know the tenant, and neither does the agent of Azure Arc.
func (a *attempt) compareTenants(ctx context.Context, m *azure.Metadata) error {
	if a.cfg.Authorization.Source == config.AppRoles || m.Arc {
		return nil
	}
	tenant, err := fromMetadata(a, "tenant", func() (string, error) { return m.TenantID(ctx) })
	if err != nil || strings.EqualFold(tenant, a.cfg.TenantID) {
		return nil
	}
	return fmt.Errorf("%w: tenant_id is %s, but this machine is of tenant %q",
		errSettings, a.cfg.TenantID, tenant)
}

// findMachine finds out where in Azure this machine is. For app roles it need not be anywhere. The
// metadata service, which other machines do not have, is then not asked.
func (a *attempt) findMachine(c *cloud, compute computeFunc) (err error) {
	if c.azure, err = findCloud(a.cfg, compute); err != nil {
		return err
	}
	if a.cfg.Authorization.Source == config.AppRoles {
		return nil
	}
	if c.resource, err = findResource(a.cfg, compute); err != nil {
		return err
	}
	c.bearer = c.metadata.Bearer(c.azure.Audience, a.cfg.Authorization.ManagedIdentity)
	return nil
}

// errSettings is in the chain of errors that an administrator must cure in the configuration,
// because the metadata service cannot know the answer.
var errSettings = errors.New("signin: configuration")

// noMachine tells a wrong configuration from a metadata service that does not answer.
func (a *attempt) noMachine(err error) error {
	if errors.Is(err, errSettings) {
		return a.misconfigured(err)
	}
	var refused *azure.Error
	if !errors.As(err, &refused) || errors.Is(err, azure.ErrUnreachable) || refused.Updating() {
		return a.cannotReach(metadataService, err)
	}
	if refused.Forbidden() {
		return a.metadataForbidden(refused)
	}
	return a.refuse(Misconfigured, tellAdministrator+
		"its metadata service does not say which machine this is; the system log says why.",
		"metadata-refused", "error", err.Error(), "fix", mayAsk(refused, a.cfg, rbac.Resource{}))
}

// findCloud asks the metadata service unless cloud is set: no endpoint says which cloud Resource
// Manager is of, and so which audience its tokens have.
func findCloud(cfg *config.Config, compute computeFunc) (azure.Cloud, error) {
	cloud, known := azure.CloudByName(cfg.Cloud)
	if !known && (cfg.Authorization.Source != config.AppRoles || cfg.Endpoints.Authority == "") {
		machine, err := compute()
		if err != nil {
			return azure.Cloud{}, err
		}
		cloud, known = azure.CloudByEnvironment(machine.Environment)
		if !known && (cfg.Endpoints.Authority == "" || cfg.Endpoints.ResourceManager == "") {
			return azure.Cloud{}, fmt.Errorf("%w: cloud %q is not known here; "+
				"set endpoints.authority and endpoints.resource_manager",
				errSettings, machine.Environment)
		}
	}
	if cfg.Endpoints.Authority != "" {
		cloud.Authority = cfg.Endpoints.Authority
	}
	if cfg.Endpoints.ResourceManager != "" {
		cloud.ResourceManager = cfg.Endpoints.ResourceManager
		if !known {
			cloud.Audience = cfg.Endpoints.ResourceManager + "/"
		}
	}
	return cloud, nil
}

// findResource returns the resource at which roles are looked up. For a machine of Azure Arc the
// configuration names it: while the agent is down, any local process may answer in its place, and
// would name a machine at which it has the roles.
func findResource(cfg *config.Config, compute computeFunc) (rbac.Resource, error) {
	if id := cfg.Authorization.ResourceID; id != "" {
		named, err := rbac.ParseResource(id)
		if err != nil {
			err = fmt.Errorf("%w: authorization.resource_id: %w", errSettings, err)
		}
		return named, err
	}
	machine, err := compute()
	if err != nil {
		return rbac.Resource{}, err
	}
	found, err := rbac.ParseResource(machine.ResourceID)
	if err == nil && found.OnArc() {
		err = fmt.Errorf("%w: a machine of Azure Arc needs authorization.resource_id, "+
			"which seems to be %q", errSettings, found)
	}
	return found, err
}
