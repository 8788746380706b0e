// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

// A stored scope goes with its client. A person who confirms the client keeps it, unless --force
// says otherwise.
func TestScopeOfAConfirmedClient(t *testing.T) {
	const (
		client  = "00001111-aaaa-2222-bbbb-3333cccc4444"
		another = "00001111-aaaa-2222-bbbb-3333cccc5555"
		stored  = "client_id = \"" + client + "\"\nsign_in.scope = \"api://" + client +
			"/sign-in\"\n"
	)
	for _, test := range []struct {
		name, client, scope string
		force, replaced     bool
	}{
		{"confirmed, no scope", client, "none", false, false},
		{"confirmed, another scope", client, "api://other/sign-in", false, false},
		{"confirmed, by force", client, "none", true, true},
		{"another client", another, "", false, true},
	} {
		w := &wanted{tenant: "aaaabbbb-0000-cccc-1111-dddd2222eeee", client: test.client,
			scope: test.scope, force: test.force,
			domains: []string{"contoso.example"}, answered: map[string]bool{"tenant_id": true,
				"client_id": true, "domains": true}}
		text, err := w.edit("config.toml", []byte(stored))
		if (err == nil) != test.replaced {
			t.Errorf("%s: %v", test.name, err)
		}
		if err == nil && strings.Contains(string(text), "api://"+client) {
			t.Errorf("%s: %s", test.name, text)
		}
	}
}
