// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"

	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/devicecode"
	"aadlogin/internal/rbac"
	"aadlogin/internal/token"
)

// cloud is everything outside this machine that an attempt talks to, found and ready.
type cloud struct {
	http     *http.Client
	metadata azure.Metadata
	azure    azure.Cloud
	resource rbac.Resource
	bearer   azure.Bearer

	openID   *token.Metadata
	verifier *token.Verifier
	clientID string
}

// reach finds the endpoints: what the configuration leaves open comes from the metadata service. Metadata, OpenID metadata and
// signing keys are fetched side by side, and the managed identity's token in the background, so that nothing but the device
// code is left before the prompt, and nothing but the question about this person after it.
func (a *attempt) reach(ctx context.Context) (*cloud, error) {
	c, compute, err := a.newCloud(ctx)
	if err != nil {
		return nil, err
	}
	discover := sync.OnceValues(func() (*token.Metadata, error) { return a.discover(ctx, c, compute) })
	go discover()
	if err := a.findMachine(c, compute); err != nil {
		return nil, err
	}
	if a.cfg.Authorization.AsksAlone() {
		go c.bearer(ctx) // only to be early: who needs it asks again and hears what went wrong
	}
	if c.openID, err = discover(); err != nil {
		return nil, a.noDiscovery(err)
	}
	keys := a.tokenSource(c).Keys(c.openID)
	go keys.Load(ctx) // the same
	c.verifier = &token.Verifier{ClientID: c.clientID, TenantID: c.openID.TenantID, Issuer: c.openID.Issuer, Keys: keys, Now: a.Now}
	return c, nil
}

// reachAzure is the part of reach that the account phase needs.
func (a *attempt) reachAzure(ctx context.Context) (*cloud, error) {
	c, compute, err := a.newCloud(ctx)
	if err != nil {
		return nil, err
	}
	return c, a.findMachine(c, compute)
}

// A computeFunc asks the metadata service about this machine, once however often it is called.
type computeFunc func() (azure.Compute, error)

func (a *attempt) newCloud(ctx context.Context) (*cloud, computeFunc, error) {
	client, err := azure.NewClient(azure.Options{CAFile: a.cfg.Endpoints.CAFile, Proxy: a.cfg.Endpoints.Proxy})
	if err != nil {
		return nil, nil, a.misconfigured(err)
	}
	configured, _ := rbac.ParseResource(a.cfg.Authorization.ResourceID) // what is wrong with it, findMachine says
	c := &cloud{http: client, clientID: a.cfg.ClientID}
	c.metadata = azure.Metadata{Endpoint: a.cfg.Endpoints.Metadata, Arc: configured.OnArc(), Now: a.Now}
	return c, sync.OnceValues(func() (azure.Compute, error) { return c.metadata.Compute(ctx) }), nil
}

// findMachine fills in where in Azure this machine is. For app roles it need not be anywhere, and the metadata service, which
// other machines do not have, is not asked.
func (a *attempt) findMachine(c *cloud, compute computeFunc) (err error) {
	if c.azure, err = findCloud(a.cfg, compute); err != nil {
		return a.noMachine(err)
	}
	if a.cfg.Authorization.Source == config.AppRoles {
		return nil
	}
	if c.resource, err = findResource(a.cfg, compute); err != nil {
		return a.noMachine(err)
	}
	c.bearer = c.metadata.Bearer(c.azure.Audience, a.cfg.Authorization.ManagedIdentity)
	return nil
}

// discover does not wait for the metadata service where the configuration says which authority it is.
func (a *attempt) discover(ctx context.Context, c *cloud, compute computeFunc) (*token.Metadata, error) {
	authority := a.cfg.Endpoints.Authority
	if authority == "" {
		found, err := findCloud(a.cfg, compute)
		if err != nil {
			return nil, err
		}
		authority = found.Authority
	}
	return a.tokenSource(c).Discover(ctx, authority, a.cfg.TenantID)
}

func (a *attempt) tokenSource(c *cloud) token.Source {
	return token.Source{HTTP: c.http, CacheDir: a.CacheDir, Now: a.Now}
}

// errSettings is in the chain of what an administrator must set, because the metadata service cannot know it.
var errSettings = errors.New("signin: configuration")

// noMachine tells that from a metadata service that does not answer.
func (a *attempt) noMachine(err error) error {
	if errors.Is(err, errSettings) {
		return a.misconfigured(err)
	}
	return a.cannotReach(metadataService, err)
}

// findCloud asks the metadata service only if something is left to ask.
func findCloud(cfg *config.Config, compute computeFunc) (azure.Cloud, error) {
	cloud, known := azure.CloudByName(cfg.Cloud)
	if !known && (cfg.Authorization.Source != config.AppRoles || cfg.Endpoints.Authority == "") {
		machine, err := compute()
		if err != nil {
			return azure.Cloud{}, err
		}
		cloud, known = azure.CloudByEnvironment(machine.Environment)
		if !known && (cfg.Endpoints.Authority == "" || cfg.Endpoints.ResourceManager == "") {
			return azure.Cloud{}, fmt.Errorf("%w: cloud %q is not known here; set endpoints.authority and endpoints.resource_manager",
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

// findResource is the same for the resource that roles are looked up at. A machine of Azure Arc is named by the configuration:
// any local process may answer for the agent while that is down, and would name a machine that it has the roles at.
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
		err = fmt.Errorf("%w: a machine of Azure Arc needs authorization.resource_id, which seems to be %q", errSettings, found)
	}
	return found, err
}

// noDiscovery tells a tenant that does not exist from a service that does not answer.
func (a *attempt) noDiscovery(err error) error {
	var refused *token.RefusedError
	var document *token.DocumentError
	if errors.As(err, &refused) || errors.As(err, &document) {
		return a.misconfigured(err)
	}
	return a.cannotReach("sign-in service", err)
}

func (c *cloud) deviceRequest(scopes []string) devicecode.Request {
	return devicecode.Request{
		HTTP:           c.http,
		Authority:      c.azure.Authority + "/" + c.openID.TenantID,
		ClientID:       c.clientID,
		Scopes:         scopes,
		Metadata:       c.openID.Raw,
		DeviceEndpoint: c.openID.DeviceAuthorizationEndpoint,
		TokenEndpoint:  c.openID.TokenEndpoint,
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "this machine"
	}
	return name
}
