// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"runtime"
	"strings"
	"testing"
)

// TestOnARM has the package for arm64 on a kernel for arm64, where nothing translates the one to the other.
func TestOnARM(t *testing.T) {
	needGuest(t, "arm64")
	if machine := must(t, "uname", "-m"); machine != "aarch64\n" || runtime.GOARCH != "arm64" {
		t.Fatalf("%s, %s", machine, runtime.GOARCH)
	}
	steps(t, []step{
		{"install", func(t *testing.T) {
			must(t, "dpkg", "--install", "/opt/vm/aad-login.deb")
			configure(t)
		}},
		{"administrator", func(t *testing.T) { inSession(t, admin) }},
		{"sudo", sudoByCode},
		{"user", func(t *testing.T) { inSession(t, user) }},
		{"refused", refusedByName},
		{"key", byKey},
		{"names", names},
		{"check", checked},
		{"store", func(t *testing.T) {
			must(t, "aadctl", "store", "verify")
			if !immutable(t, storeFile) {
				t.Error("the store is not sealed")
			}
			if said := must(t, "aadctl", "account", "list"); !strings.Contains(said, admin) || !strings.Contains(said, user) {
				t.Errorf("it said %q", said)
			}
		}},
	})
}
