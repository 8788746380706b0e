// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// These are PAM's return codes, by their numbers in _pam_types.h.
const (
	PAMSuccess     = "0"
	PAMServiceErr  = "3"
	PAMSystemErr   = "4"
	PAMPermDenied  = "6"
	PAMAuthErr     = "7"
	PAMUserUnknown = "10"
	PAMConvErr     = "19"
)

var pamHost = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "host")
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "host"), os.Chmod(dir, 0o755)
})

// HostProgram builds testdata/host.c, and returns its path.
func HostProgram(t *testing.T) string {
	t.Helper()
	program, err := pamHost()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		Must(t, "gcc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-pthread",
			"-o", program, "../rig/testdata/host.c", "-lpam")
	}
	return program
}
