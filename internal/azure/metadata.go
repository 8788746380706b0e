// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aadlogin/internal/foreign"
	"aadlogin/internal/retry"
)

// DefaultMetadata is the address of the instance metadata service on every Azure virtual machine.
const DefaultMetadata = "http://169.254.169.254"

// Metadata asks the Azure instance metadata service about this machine, or the agent of Azure Arc,
// which answers the same questions on machines elsewhere. The zero value asks [DefaultMetadata].
//
// Any process of the machine can ask the same questions. Nothing that the service says about the
// machine is secret, except for the tokens of [Metadata.Token].
type Metadata struct {
	Endpoint string       // base URL; "" means DefaultMetadata or DefaultArc
	Arc      bool         // ask the agent of Azure Arc, whose tokens need a challenge (arc.go)
	HTTP     *http.Client // nil: one that uses no proxy and follows no redirect
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error

	once    sync.Once
	client  *http.Client
	peer    atomic.Pointer[netip.AddrPort] // of the last connection
	arcKeys string                         // directory; "": defaultArcKeys
}

// Compute is the metadata service's description of the virtual machine. Its strings are the
// server's, raw.
type Compute struct {
	Environment string `json:"azEnvironment"`
	ResourceID  string `json:"resourceId"`
	Name        string `json:"name"`
}

// Compute returns where in Azure the machine is.
func (m *Metadata) Compute(ctx context.Context) (Compute, error) {
	var c Compute
	query := url.Values{"api-version": {"2021-02-01"}}
	if m.Arc {
		query.Set("api-version", arcVersion)
	}
	if err := m.get(ctx, MachineMetadata, "/metadata/instance/compute", query, &c); err != nil {
		return Compute{}, err
	}
	if c.ResourceID == "" {
		return Compute{}, errors.New("azure: metadata: answer without resourceId")
	}
	return c, nil
}

// TenantID returns the tenant of the machine's managed identity, in lower case. Without a managed
// identity the service refuses to say.
func (m *Metadata) TenantID(ctx context.Context) (string, error) {
	var info struct {
		TenantID string `json:"tenantId"`
	}
	query := url.Values{"api-version": {"2018-02-01"}}
	if err := m.get(ctx, MachineMetadata, "/metadata/identity/info", query, &info); err != nil {
		return "", err
	}
	if info.TenantID == "" {
		return "", errors.New("azure: metadata: answer without tenantId")
	}
	return strings.ToLower(info.TenantID), nil
}

// get requests one JSON document.
func (m *Metadata) get(ctx context.Context, op, path string, query url.Values, into any) error {
	request, err := m.request(path, query)
	if err != nil {
		return err
	}
	got, err := m.retrier().ask(ctx, request)
	if err != nil {
		return unreachable(op, err)
	}
	return got.decode(op, into)
}

// decode reads the one JSON document of a successful answer.
func (a *answer) decode(op string, into any) error {
	if a.status != http.StatusOK {
		return parseError(op, a)
	}
	if err := a.foreign(); err != nil {
		return unreachable(op, err)
	}
	if err := foreign.Decode(a.body, into); err != nil {
		return unreachable(op, fromNetwork{err})
	}
	return nil
}

func (m *Metadata) endpoint() string {
	switch {
	case m.Endpoint != "":
		return m.Endpoint
	case m.Arc:
		return DefaultArc
	default:
		return DefaultMetadata
	}
}

// request makes requests with the header "Metadata: true". The service demands it, because a
// forgery through a browser or a naive proxy cannot add it.
func (m *Metadata) request(
	path string, query url.Values,
) (func() (*http.Request, error), error) {
	endpoint := m.endpoint()
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("azure: metadata: %q is not a URL", endpoint)
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = query.Encode()
	return func() (*http.Request, error) {
		req, err := http.NewRequest(http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, fmt.Errorf("azure: metadata: %w", err)
		}
		req.Header.Set("Metadata", "true")
		return req, nil
	}, nil
}

// Proxy returns the address that the last request went to if that is not the one it was sent to; ok
// is false otherwise. Azure's guest proxy agent has the kernel redirect connections to itself, and
// the socket shows it.
func (m *Metadata) Proxy() (at netip.AddrPort, ok bool) {
	u, err := url.Parse(m.endpoint())
	peer := m.peer.Load()
	if err != nil || peer == nil {
		return netip.AddrPort{}, false
	}
	asked, err := netip.ParseAddr(u.Hostname())
	return *peer, err == nil && asked.Unmap() != peer.Addr()
}

// noting returns a dialer that remembers which address it has connected to.
func (m *Metadata) noting(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			if tcp, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
				at := tcp.AddrPort()
				at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
				m.peer.Store(&at)
			}
		}
		return conn, err
	}
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (m *Metadata) retrier() retrier {
	m.once.Do(func() {
		if m.client = m.HTTP; m.client == nil {
			m.client = m.newClient()
		}
	})
	r := retrier{
		client: m.client, patience: metadataPatience, sleep: m.Sleep, final: unknownVersion,
	}
	if r.sleep == nil {
		r.sleep = retry.Sleep
	}
	return r
}

// unknownVersion reports an api-version that the service does not know. It has answered 404 to
// that, too.
func unknownVersion(got *answer) bool {
	return got.status != http.StatusOK && parseError(MachineMetadata, got).UnknownVersion()
}

// newClient never uses a proxy, which would get, or could forge, the machine's token. It follows no
// redirect for the same reason.
func (m *Metadata) newClient() *http.Client {
	t := newTransport(2 * time.Second)
	t.DialContext = m.noting(t.DialContext)
	return &http.Client{
		Transport: watched{bounded{t}, 5 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("azure: metadata: redirect refused")
		},
	}
}

// metadataPatience follows Microsoft's retry guidance: 404, 429 and 5xx are transient, and 410
// means an update of the service that takes up to 70 s. 421 comes from the guest proxy agent if it
// no longer knows whose connection it is; it closes that connection, so the next attempt has
// another one. If nothing answers at all, this is no Azure machine, and three tries settle it.
func metadataPatience(status, tries int, waited time.Duration) (time.Duration, bool) {
	pause := backOff(tries)
	switch {
	case status == 0:
		return pause, tries < 3
	case status == http.StatusGone:
		return pause, waited < 70*time.Second
	case status == http.StatusNotFound, status == http.StatusMisdirectedRequest,
		status == http.StatusTooManyRequests, status >= 500:
		return pause, tries < 5
	default:
		return 0, false
	}
}
