// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"strings"
	"testing"

	"aadlogin/internal/config"
)

// Whoever forges metadata must not get a command of theirs into the shell that ours are copied to.
func TestStrangeResourceID(t *testing.T) {
	c := &config.Config{Domains: []string{"contoso.com"}, Authorization: config.Authorization{Source: config.CheckAccess}}
	for _, id := range []string{"/subscriptions/s'; id; '", "/subscriptions/$(id)", "/a\nid", "id", "/a b", "/\x1b[2J"} {
		var out bytes.Buffer
		printLeft(&out, c, discovered{resource: id})
		discovered{resource: id}.tell(&out)
		if strings.Contains(out.String(), "az role") || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%q: %s", id, out.String())
		}
	}
	var out bytes.Buffer
	printLeft(&out, c, discovered{resource: "/subscriptions/s/resourceGroups/a(b)/x"})
	if !strings.Contains(out.String(), "az vm identity assign --ids '/subscriptions/s/resourceGroups/a(b)/x'\n") {
		t.Error(out.String())
	}
}

// A machine of which metadata names nothing can be set up by name, or without Azure.
func TestLeftElsewhere(t *testing.T) {
	var out bytes.Buffer
	printLeft(&out, &config.Config{}, discovered{})
	discovered{}.tell(&out)
	if !strings.Contains(out.String(), "--source app-roles") || !strings.Contains(out.String(), "not in Azure") {
		t.Error(out.String())
	}
}
