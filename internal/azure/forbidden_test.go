// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A 403 of the metadata service is somebody's rule. It is no outage and no page of a portal, and is
// not tried again.
func TestForbidden(t *testing.T) {
	html := http.Header{"Content-Type": {"text/html; charset=utf-8"}}
	portal := answer{status: 403, header: html, body: []byte("<html>")}
	words := []byte(`{"error":"forbidden","error_description":"no"}`)
	for name, test := range map[string]struct {
		op     string
		answer answer
		want   bool
	}{
		"the proxy's":           {MachineMetadata, answer{status: 403}, true},
		"the token's":           {IdentityToken, answer{status: 403}, true},
		"with words":            {IdentityToken, answer{status: 403, body: words}, true},
		"a portal's":            {MachineMetadata, portal, false},
		"not found":             {MachineMetadata, answer{status: 404}, false},
		"who is not known":      {IdentityToken, answer{status: 401}, false},
		"of somebody else":      {MachineMetadata, answer{status: 421}, false},
		"of Resource Manager's": {ResourceManager, answer{status: 403}, false},
	} {
		e := parseError(test.op, &test.answer)
		if e.Forbidden() != test.want || Outage(e) || errors.Is(e, ErrUnreachable) ||
			e.Updating() && test.want {
			t.Errorf("%s: %v, %v", name, e, e.Forbidden())
		}
	}
}

// If a connection was redirected to another address, the socket tells it. Linux redirects
// connections to 0.0.0.0 to the loopback.
func TestProxyOfMetadata(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	for _, test := range []struct {
		endpoint string
		want     bool
	}{
		{s.URL, false},
		{strings.Replace(s.URL, "127.0.0.1", "0.0.0.0", 1), true},
		{strings.Replace(s.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1), false},
		{strings.Replace(s.URL, "127.0.0.1", "localhost", 1), false}, // a name may lead anywhere
	} {
		c := &clock{}
		m := &Metadata{Endpoint: test.endpoint, Sleep: c.Sleep}
		if at, ok := m.Proxy(); ok {
			t.Errorf("%s: %v before anything was asked", test.endpoint, at)
		}
		m.Compute(t.Context())
		if at, ok := m.Proxy(); ok != test.want || ok && "http://"+at.String() != s.URL {
			t.Errorf("%s: %v, %v", test.endpoint, at, ok)
		}
	}
}
