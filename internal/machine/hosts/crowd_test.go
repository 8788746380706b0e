// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// A worker starts, with all of Go, in a host whose fifty threads hold the locks of the C library.
// The host never sees the worker. "make crowd" does this ten thousand times with each Debian's
// glibc.
func TestCrowdedHost(t *testing.T) {
	const user = "user@contoso.example" // as in crowd.c
	rig.Stored(t, user)
	dir := t.TempDir()
	services := t.TempDir()
	program := filepath.Join(dir, "crowd")
	rig.Must(t, "gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program,
		"../../../pam/testdata/crowd.c", "-lpam", "-ldl", "-lpthread")
	const stack = "account required pam_aad.so config=/nonexistent/config.toml\n"
	err := os.WriteFile(filepath.Join(services, "crowd"), []byte(stack), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	out, status := rig.Command(t, "", program, services, "20")
	if status != 0 ||
		!strings.HasPrefix(out, "20 workers of a host with 50 threads, 0 seen by it") {
		t.Errorf("exit %d: %s", status, out)
	}
}
