// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

// Forged metadata must not put a command into the shell that our commands are copied to.
func TestStrangeResourceID(t *testing.T) {
	c := &config.Config{Domains: []string{"contoso.com"},
		Authorization: config.Authorization{Source: config.CheckAccess}}
	for _, id := range []string{"/subscriptions/s'; id; '", "/subscriptions/$(id)", "/a\nid", "id",
		"/a b", "/\x1b[2J", "/subscriptions/s/x",
		strings.Replace(emulator.Contoso().Machine.ResourceID, "/demo/", "/dé/", 1)} {
		var out bytes.Buffer
		printLeft(&out, c, discovered{resource: id})
		discovered{resource: id}.tell(&out)
		if strings.Contains(out.String(), "az role") || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q: %s", id, out.String())
		}
	}
	var out bytes.Buffer
	id := strings.Replace(emulator.Contoso().Machine.ResourceID, "/demo/", "/a(b)/", 1)
	printLeft(&out, c, discovered{resource: id})
	if !strings.Contains(out.String(), "az vm identity assign --ids '"+id+"'\n") {
		t.Error(out.String())
	}
}

// A machine that metadata does not name can be set up with its resource id, or without Azure.
func TestLeftElsewhere(t *testing.T) {
	var out bytes.Buffer
	printLeft(&out, &config.Config{}, discovered{})
	discovered{}.tell(&out)
	if !strings.Contains(out.String(), "--source app-roles") ||
		!strings.Contains(out.String(), "not in Azure") {
		t.Error(out.String())
	}
}

// discoverAt returns what setup finds at such a metadata service, and what it prints.
func discoverAt(t *testing.T, like func(*emulator.Machine)) (found discovered, said string) {
	t.Helper()
	e := new(emulator.Server)
	d := emulator.Contoso()
	like(&d.Machine)
	e.SetDirectory(d)
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	var out bytes.Buffer
	found = discover(t.Context(), config.Endpoints{Metadata: e.MetadataURL()})
	found.tell(&out)
	return found, out.String()
}

// A metadata service that knows none of our versions still exists.
func TestLeftRefused(t *testing.T) {
	found, text := discoverAt(t, func(m *emulator.Machine) {
		m.APIVersions = []string{"2019-03-11", "2019-02-01"}
	})
	if found.resource != "" || strings.Contains(text, "not in Azure") ||
		!strings.Contains(text, "Newest versions: 2019-03-11 2019-02-01") {
		t.Error(text)
	}
}

// A metadata service that refuses this program exists, too. It is no agent of Azure Arc in need of
// an update.
func TestLeftForbidden(t *testing.T) {
	found, text := discoverAt(t,
		func(m *emulator.Machine) { m.Callers = []emulator.Caller{{Exe: "/usr/sbin/sshd"}} })
	if found.resource != "" || strings.Contains(text, "Arc") ||
		!strings.HasPrefix(text, "A rule forbids aadctl (root, ") ||
		!strings.Contains(text, "HTTP 403") {
		t.Error(text)
	}
}

// Roles are for the identity that asks. identity.principalId is the machine's own identity, which
// need not exist.
func TestLeftForNamedIdentity(t *testing.T) {
	const named = "11112222-bbbb-3333-cccc-4444dddd5555"
	c := &config.Config{Domains: []string{"contoso.example"}}
	c.Authorization.Source, c.Authorization.ManagedIdentity = config.CheckAccess, named
	var out bytes.Buffer
	printLeft(&out, c, discovered{resource: emulator.Contoso().Machine.ResourceID})
	if text := out.String(); !strings.Contains(text, `"$(az ad sp show --id '`+named+
		`' --query id --output tsv)"`) || strings.Contains(text, "identity assign") ||
		strings.Contains(text, "principalId") {
		t.Error(text)
	}
}

// Only Entra ID's answers count. An outage or the page of a portal is no answer, and does not
// withdraw one.
func TestDomainsOfTheTenant(t *testing.T) {
	openID := func(after, status int, body string) []emulator.Fault {
		return []emulator.Fault{{Endpoint: "openid", After: after, Status: status, Body: body}}
	}
	const portal = "<html><title>Log in to the network</title></html>"
	for name, test := range map[string]struct {
		domains []string
		faults  []emulator.Fault
		refused string // "": not refused
		told    string
	}{
		"right": {[]string{"contoso.example"}, nil, "", ""},
		"wrong": {[]string{"contoso.example", "b.example"}, nil,
			"b.example is a domain of no tenant", ""},
		"outage": {[]string{"a.example"}, openID(0, 503, ""),
			"", "could not be asked"},
		"a portal": {[]string{"a.example"}, openID(0, 200, portal),
			"", "could not be asked"},
		"outage of the domain": {[]string{"a.example"}, openID(1, 503, ""),
			"", "could not be asked"},
		"a portal for the domain": {[]string{"a.example"}, openID(1, 200, portal),
			"", "could not be asked"},
		"wrong, and then an outage": {[]string{"a.example", "b.example"}, openID(2, 503, ""),
			"a.example is a domain of no tenant", ""},
	} {
		t.Run(name, func(t *testing.T) {
			entra := new(emulator.Server)
			if err := entra.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { entra.Close() })
			ca := t.TempDir() + "/ca.pem"
			if err := os.WriteFile(ca, entra.CA(), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, fault := range test.faults {
				entra.Fail(fault)
			}
			c := &config.Config{TenantID: emulator.Contoso().TenantID,
				ClientID: emulator.Contoso().ClientID, Domains: test.domains,
				Cloud:     "public",
				Endpoints: config.Endpoints{Authority: entra.EntraURL(), CAFile: ca}}
			for _, w := range []*wanted{{}, {force: true}} {
				var out bytes.Buffer
				err := w.ofTheTenant(t.Context(), c, false, &out)
				switch {
				case (err != nil) != (test.refused != "" && !w.force),
					err != nil && !strings.Contains(err.Error(), test.refused):
					t.Errorf("force %v: %v", w.force, err)
				case !strings.Contains(out.String(), test.told),
					w.force && !strings.Contains(out.String(), test.refused):
					t.Errorf("force %v: %s", w.force, out.String())
				}
				entra.Heal()
				for _, fault := range test.faults {
					entra.Fail(fault)
				}
			}
		})
	}
}
