// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package azure

import (
	"net/url"
	"strings"
	"testing"
)

func TestCloudLookup(t *testing.T) {
	for _, c := range Clouds() {
		if got, ok := CloudByName(c.Name); !ok || got != c {
			t.Errorf("CloudByName(%q) = %v, %v", c.Name, got, ok)
		}
		for _, spelling := range []string{
			c.Environment, strings.ToLower(c.Environment), strings.ToUpper(c.Environment),
		} {
			if got, ok := CloudByEnvironment(spelling); !ok || got != c {
				t.Errorf("CloudByEnvironment(%q) = %v, %v", spelling, got, ok)
			}
		}
	}
	for _, name := range []string{"", "auto", "Public", "germany"} {
		if c, ok := CloudByName(name); ok {
			t.Errorf("CloudByName(%q) = %v, want none", name, c)
		}
		if c, ok := CloudByEnvironment(name); ok {
			t.Errorf("CloudByEnvironment(%q) = %v, want none", name, c)
		}
	}
}

func TestCloudEndpointsAreHTTPS(t *testing.T) {
	for _, c := range Clouds() {
		for _, text := range []string{
			c.Authority, c.ResourceManager, strings.TrimSuffix(c.Audience, "/"),
		} {
			u, err := url.Parse(text)
			if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" {
				t.Errorf("%s: %q is not an https base URL", c.Name, text)
			}
		}
	}
}
