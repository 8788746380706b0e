// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/devicecode"
	"aadlogin/internal/oauth"
	"aadlogin/internal/rbac"
	"aadlogin/internal/token"
)

// A Probe asks what a sign-in would ask, one question after the other and by the same code, for
// "aadctl check". It prompts nobody, keeps nothing and lets nobody in. Its errors are those of the
// packages that ask; Fix says what to do about them.
type Probe struct {
	a       *attempt
	c       *cloud
	compute computeFunc
	heard   *heard
}

// NewProbe errs on an endpoints.ca_file or endpoints.proxy that is of no use. ctx is for all that
// the Probe asks.
func NewProbe(ctx context.Context, cfg *config.Config) (*Probe, error) {
	// Without a cache directory and without a boot id, whatever is asked is asked of the network.
	never := func() (string, time.Duration) { return "", 0 }
	p := &Probe{a: &attempt{Signin: Signin{Now: time.Now, Uptime: never}, cfg: cfg}}
	var err error
	if p.c, p.compute, err = p.a.newCloud(ctx); err != nil {
		return nil, err
	}
	p.heard = &heard{next: p.c.http.Transport}
	p.c.http.Transport = p.heard
	return p, nil
}

// Machine returns the resource id at which roles are looked up, or "" where app roles decide.
func (p *Probe) Machine() (string, error) {
	if err := p.c.found(); err != nil {
		return "", err
	}
	if p.a.cfg.Authorization.Source == config.AppRoles {
		return "", nil
	}
	return p.c.resource.String(), nil
}

// OtherMachine returns what the metadata service says that this machine is, where
// authorization.resource_id says something that does not hold for it: neither the machine itself
// nor a scope above it. It returns "" where the two agree or nobody answers. After Machine.
func (p *Probe) OtherMachine() string {
	machine, err := p.compute()
	named, at := strings.ToLower(machine.ResourceID), strings.ToLower(p.c.resource.String())
	if err != nil || named == "" || at == "" || named == at || strings.HasPrefix(named, at+"/") {
		return ""
	}
	return machine.ResourceID
}

// Cloud returns the name of the machine's cloud, as in config.toml, or "" for one that is not known
// here. Call Machine before.
func (p *Probe) Cloud() string { return p.c.azure.Name }

// SameTenant errs when metadata names another tenant than the configuration.
func (p *Probe) SameTenant() error { return p.c.sameTenant() }

// OpenID fetches the tenant's metadata and returns the authority it came from.
func (p *Probe) OpenID(ctx context.Context) (authority string, err error) {
	p.c.openID, err = p.a.discover(ctx, p.c, p.compute)
	return p.c.authority, err
}

// TenantOf asks which tenant a domain belongs to; "" if the authority knows none. After OpenID.
func (p *Probe) TenantOf(ctx context.Context, domain string) (string, error) {
	tenant, err := p.a.provider(p.c).TenantOf(ctx, p.c.authority, domain)
	var unknown *token.RefusedError
	if errors.As(err, &unknown) {
		return "", nil
	}
	return tenant, err
}

// Skew returns how far this machine's clock is ahead of the authority's, to the second. Call OpenID
// before.
func (p *Probe) Skew() (time.Duration, bool) {
	if at := p.heard.at.Load(); at != nil {
		return *at, true
	}
	return 0, false
}

// Keys fetches the tenant's signing keys; after OpenID.
func (p *Probe) Keys(ctx context.Context) error {
	return p.a.provider(p.c).Keys(p.c.openID).Load(ctx)
}

// Registration requests a device code, and asks once what became of it: only the second request
// tells whether the application is a public client. Nobody sees the code, which expires at the
// authority. Call OpenID before.
func (p *Probe) Registration(ctx context.Context) error {
	if p.a.cfg.Authorization.Source == config.Permissions {
		if err := p.c.found(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.heard.pending = cancel
	code, err := devicecode.Start(ctx, p.a.deviceRequest(p.c))
	if err != nil {
		return err
	}
	if _, err = code.Wait(ctx); p.heard.waiting.Load() && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// TakesNoCodes reports whether an error of Registration says only that the application is no public
// client, which device codes need.
func TakesNoCodes(err error) bool {
	var refused *oauth.Error
	return errors.As(err, &refused) && refused.Has([]int{7000218})
}

// Identity asks for a token of the machine's managed identity; after Machine.
func (p *Probe) Identity(ctx context.Context) error {
	_, err := p.c.bearer(ctx)
	return err
}

// Interposed returns where the metadata service's connections end if they do not reach its address:
// at a proxy of this machine, which may treat this program otherwise than those that people sign in
// with.
func (p *Probe) Interposed() (at string, ok bool) {
	address, ok := p.c.metadata.Proxy()
	return address.String(), ok
}

// Forbidden reports whether err means that this program may not ask the metadata service, and as
// which user and executable it asked.
func Forbidden(err error) (asked string, yes bool) {
	var refused *azure.Error
	if !errors.As(err, &refused) || !refused.Forbidden() {
		return "", false
	}
	who := thisProcess()
	return who.user + ", " + who.exe, true
}

// Ask asks Azure about somebody; after Machine. An error means that there is no answer.
func (p *Probe) Ask(ctx context.Context, objectID string) (rbac.Decision, error) {
	return p.a.authorize(ctx, p.c, person{objectID: objectID})
}

// Assign returns the command that gives somebody the role that a login needs here. Call Machine
// before.
func (p *Probe) Assign(objectID string) string {
	return assign(objectID, roleFor(p.a.actions(p.c).Login), p.c.resource.Scope())
}

// Fix says what an administrator can do about an error of a Probe, or returns "" if that is not
// known.
func (p *Probe) Fix(err error) string {
	var (
		theirs      *oauth.Error
		discovery   *token.RefusedError
		refused     *azure.Error
		certificate *azure.CertificateError
		local       *azure.LocalError
	)
	switch {
	case errors.As(err, &local):
		return local.Fix
	case errors.As(err, &theirs):
		means := meaning(theirs.Code, theirs.AADSTS)
		return cmp.Or(means.fix, means.person)
	case errors.As(err, &discovery):
		means := meaning("", discovery.AADSTS)
		return cmp.Or(means.fix, "see that tenant_id and endpoints.authority are right")
	case errors.As(err, &certificate):
		return "the certificate " + certificate.Problem +
			"; see the clock (timedatectl), and endpoints.ca_file for an authority of your own"
	case errors.As(err, &refused) && !errors.Is(err, azure.ErrUnreachable):
		return mayAsk(refused, p.a.cfg, p.c.resource)
	default:
		return ""
	}
}

// Settings reports whether err is cured in the configuration rather than on the network.
func Settings(err error) bool {
	var discovery *token.RefusedError
	var document *token.DocumentError
	var theirs *oauth.Error
	return errors.Is(err, errSettings) || errors.As(err, &discovery) ||
		errors.As(err, &document) || errors.As(err, &theirs)
}

// heard listens to the answers of the authority.
type heard struct {
	next    http.RoundTripper
	at      atomic.Pointer[time.Duration]
	pending func() // called when a device code is good and nobody has entered it
	waiting atomic.Bool
}

func (h *heard) RoundTrip(req *http.Request) (*http.Response, error) {
	answer, err := h.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		skew := time.Since(date).Round(time.Second)
		h.at.Store(&skew)
	}
	if req.Method == http.MethodPost && answer.StatusCode == http.StatusBadRequest &&
		strings.HasSuffix(req.URL.Path, "/token") {
		body, err := io.ReadAll(answer.Body) // bounded by the transport below
		answer.Body.Close()
		if err != nil {
			return nil, err
		}
		answer.Body = io.NopCloser(bytes.NewReader(body))
		if h.pending != nil && bytes.Contains(body, []byte(`"authorization_pending"`)) {
			h.waiting.Store(true)
			h.pending()
		}
	}
	return answer, nil
}
