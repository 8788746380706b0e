// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"runtime"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// TestOnARM has the package for arm64 on a kernel for arm64, where nothing translates the one to
// the other.
func TestOnARM(t *testing.T) {
	needGuest(t, "arm64")
	if machine := rig.Must(t, "uname", "-m"); machine != "aarch64\n" || runtime.GOARCH != "arm64" {
		t.Fatalf("%s, %s", machine, runtime.GOARCH)
	}
	steps(t, []step{
		{"install", func(t *testing.T) {
			rig.Must(t, "dpkg", "--install", "/opt/vm/aad-login.deb")
			configure(t)
		}},
		{"administrator", func(t *testing.T) { inSession(t, rig.Admin) }},
		{"sudo", sudoByCode},
		{"user", func(t *testing.T) { inSession(t, rig.User) }},
		{"refused", refusedByName},
		{"key", byKey},
		{"names", names},
		{"check", checked},
		{"store", func(t *testing.T) {
			rig.Must(t, "aadctl", "store", "verify")
			if !rig.Immutable(t, rig.StoreFile) {
				t.Error("the store is not sealed")
			}
			if said := rig.Must(t, "aadctl", "account", "list"); !strings.Contains(said,
				rig.Admin) || !strings.Contains(said, rig.User) {
				t.Errorf("it said %q", said)
			}
		}},
	})
}
