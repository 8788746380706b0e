// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"aadlogin/internal/azure"
	"aadlogin/internal/cache"
	"aadlogin/internal/config"
	"aadlogin/internal/devicecode"
	"aadlogin/internal/oauth"
	"aadlogin/internal/rbac"
	"aadlogin/internal/token"
)

// cloud is everything outside this machine that an attempt talks to.
type cloud struct {
	http     *http.Client
	metadata azure.Metadata

	found      func() error // waits until this machine is; then azure, resource and bearer are set
	sameTenant func() error // waits for what metadata says of the tenant
	azure      azure.Cloud
	resource   rbac.Resource
	bearer     azure.Bearer

	authority string
	openID    *token.Metadata
	verifier  *token.Verifier
	clientID  string
}

// reach finds the endpoints. What the configuration leaves open comes from the metadata service.
// What can be done side by side does not wait for each other: a person waits for one round trip
// before the prompt, that of the device code (two if the tenant's metadata is not cached), and
// after it only for the question about them.
func (a *attempt) reach(ctx context.Context) (*cloud, error) {
	c, compute, err := a.newCloud(ctx)
	if err != nil {
		return nil, a.misconfigured(err)
	}
	discover := sync.OnceValues(func() (*token.Metadata, error) {
		return a.discover(ctx, c, compute)
	})
	go c.found()
	if c.openID, err = discover(); err != nil {
		if err := c.found(); err != nil {
			return nil, a.noMachine(err)
		}
		return nil, a.noDiscovery(err)
	}
	// the request for the device code names Resource Manager
	if a.cfg.Authorization.Source == config.Permissions {
		if err := c.found(); err != nil {
			return nil, a.noMachine(err)
		}
	}
	keys := a.provider(c).Keys(c.openID)
	c.verifier = &token.Verifier{
		ClientID: c.clientID, TenantID: c.openID.TenantID, Issuer: c.openID.Issuer,
		Keys: keys, Now: a.Now,
	}
	return c, nil
}

// beEarly asks the metadata service at once for all that the authorization is going to need. It is
// not called before somebody has signed in, or whoever opens connections would use up what the
// service answers in a second. The code that needs an answer asks again, and gets the error.
func (a *attempt) beEarly(ctx context.Context, c *cloud) {
	go c.sameTenant()
	if a.cfg.Authorization.AsksAsMachine() {
		go c.bearer(ctx)
	}
}

// reachAzure is the part of reach that the account phase needs.
func (a *attempt) reachAzure(ctx context.Context) (*cloud, error) {
	c, _, err := a.newCloud(ctx)
	if err != nil {
		return nil, a.misconfigured(err)
	}
	if err := c.found(); err != nil {
		return nil, a.noMachine(err)
	}
	return c, nil
}

// A computeFunc asks the metadata service about this machine, once however often it is called.
type computeFunc func() (azure.Compute, error)

func (a *attempt) newCloud(ctx context.Context) (*cloud, computeFunc, error) {
	c := &cloud{clientID: a.cfg.ClientID}
	c.metadata = azure.Metadata{Endpoint: a.cfg.Endpoints.Metadata, Arc: onArc(a.cfg), Now: a.Now}
	if err := a.connect(c); err != nil {
		return nil, nil, err
	}
	compute := sync.OnceValues(func() (azure.Compute, error) { return a.compute(ctx, &c.metadata) })
	c.found = sync.OnceValue(func() error { return a.findMachine(c, compute) })
	c.sameTenant = sync.OnceValue(func() error { return a.compareTenants(ctx, &c.metadata) })
	return c, compute, nil
}

func (a *attempt) connect(c *cloud) (err error) {
	if a.Network != nil {
		c.http = &http.Client{Transport: a.Network}
		c.metadata.HTTP = c.http
		return nil
	}
	c.http, err = azure.NewClient(azure.Options{
		CAFile: a.cfg.Endpoints.CAFile, Proxy: a.cfg.Endpoints.Proxy, Roots: knownRoots{a},
	})
	return err
}

// knownRoots is the cache's note of the roots that Entra ID and Azure have needed so far.
type knownRoots struct{ *attempt }

const (
	rootsNote = "roots"
	rootsAge  = 30 * 24 * time.Hour
)

func (k knownRoots) Recall() ([]byte, bool) {
	text, _, ok := cache.Dir{Path: k.CacheDir, Now: k.Now}.Get(rootsNote, rootsAge)
	return text, ok
}

func (k knownRoots) Keep(text []byte) {
	cache.Dir{Path: k.CacheDir, Now: k.Now}.Put(rootsNote, text)
}

// onArc reports whether the configuration names a machine of Azure Arc.
func onArc(cfg *config.Config) bool {
	// what is wrong with it, findMachine says
	configured, _ := rbac.ParseResource(cfg.Authorization.ResourceID)
	return configured.OnArc()
}

// discover does not wait for the metadata service if the configuration names the authority.
func (a *attempt) discover(
	ctx context.Context, c *cloud, compute computeFunc,
) (*token.Metadata, error) {
	authority := a.cfg.Endpoints.Authority
	if authority == "" {
		found, err := findCloud(a.cfg, compute)
		if err != nil {
			return nil, err
		}
		authority = found.Authority
	}
	c.authority = authority
	return a.provider(c).Discover(ctx, authority, a.cfg.TenantID)
}

func (a *attempt) provider(c *cloud) token.Provider {
	return token.Provider{HTTP: c.http, CacheDir: a.CacheDir, Now: a.Now}
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

// client requests no access token except for the source "permissions", which asks with it.
func (a *attempt) client(c *cloud) oauth.Client {
	return oauth.Client{
		Scopes:        a.deviceScopes(c),
		AccessToken:   a.cfg.Authorization.Source == config.Permissions,
		Passing:       numbersThat(passes),
		HTTP:          c.http,
		Authority:     c.authority + "/" + c.openID.TenantID,
		ClientID:      c.clientID,
		Metadata:      c.openID.Raw,
		TokenEndpoint: c.openID.TokenEndpoint,
	}
}

func (a *attempt) deviceRequest(c *cloud) devicecode.Request {
	return devicecode.Request{
		Client:         a.client(c),
		DeviceEndpoint: c.openID.DeviceAuthorizationEndpoint,
		Slower:         numbersThat(slower),
	}
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "this machine"
	}
	return name
}
