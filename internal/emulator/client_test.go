// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package emulator

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// testKey is made once, because a key for each test would take most of the tests' time.
var testKey = sync.OnceValue(func() *rsa.PrivateKey { return orNewKey(nil) })

// A clock shows a time that tests set.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A world is a started server, its clock and a client that trusts it.
type world struct {
	*Server
	*clock
	t      *testing.T
	client *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	c := &clock{t: time.Now()}
	w := &world{Server: &Server{Now: c.now, Key: testKey()}, clock: c, t: t}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(w.CA()) {
		t.Fatal("CA is not PEM")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	w.client = &http.Client{Transport: transport}
	return w
}

// An answer is a complete response.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request. The test fails if the answer is not complete.
func (w *world) do(method, url, body string, header ...string) answer {
	w.t.Helper()
	a, err := w.try(method, url, body, header...)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) try(method, url, body string, header ...string) (answer, error) {
	w.t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(b)}, err
}

// form posts a form to Entra ID's endpoint of that name.
func (w *world) form(endpoint string, fields ...string) answer {
	w.t.Helper()
	url := w.EntraURL() + "/" + w.directory().TenantID + "/oauth2/v2.0/" + endpoint
	return w.do("POST", url, values(fields...), "Content-Type", "application/x-www-form-urlencoded")
}

func values(fields ...string) string {
	v := make(url.Values)
	for i := 0; i < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return v.Encode()
}

// object decodes a JSON object.
func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return m
}

// start begins a sign-in and returns its codes.
func (w *world) start(scope string) (user, device string) {
	w.t.Helper()
	a := w.form("devicecode", "client_id", w.directory().ClientID, "scope", scope)
	if a.status != http.StatusOK {
		w.t.Fatalf("devicecode: %d %s", a.status, a.body)
	}
	m := a.object(w.t)
	return m["user_code"].(string), m["device_code"].(string)
}

const rfcGrant = "urn:ietf:params:oauth:grant-type:device_code"

// poll asks for the token.
func (w *world) poll(device string) answer {
	w.t.Helper()
	return w.form("token", "client_id", w.directory().ClientID, "grant_type",
		rfcGrant, "device_code", device)
}

// identityBearer fetches the machine's token for Resource Manager.
func (w *world) identityBearer() string {
	w.t.Helper()
	a := w.do("GET", w.MetadataURL()+
		"/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/", "", "Metadata", "true")
	token, _ := a.object(w.t)["access_token"].(string)
	if token == "" {
		w.t.Fatalf("no token: %s", a.body)
	}
	return token
}

func newRequest(ctx context.Context, url string) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, "GET", url, nil)
}

// change is Update that must succeed.
func (w *world) change(f func(*Directory)) {
	w.t.Helper()
	if err := w.Update(f); err != nil {
		w.t.Fatal(err)
	}
}
