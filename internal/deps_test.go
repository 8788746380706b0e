// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package internal

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What runs as root inside sshd and sudo is written down, package by package, so that growth is
// seen. The standard library's own internal packages are Go's business.
func TestWorkerDependencies(t *testing.T) {
	const list = "../pam/testdata/dependencies"
	out, err := exec.Command("go", "list", "-deps", "-tags", "netgo,osusergo,nethttpomithttp2", "../pam").Output()
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	got = slices.DeleteFunc(got, func(path string) bool {
		return strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "vendor/") ||
			strings.HasPrefix(path, "runtime") ||
			!strings.Contains(path, ".") && strings.Contains(path, "/internal/") &&
				!strings.HasPrefix(path, "aadlogin/")
	})
	slices.Sort(got)
	for _, path := range got {
		if !slices.Contains(strings.Fields(string(want)), path) {
			t.Errorf("%s is new in the worker: if it has earned its place, add it to %s", path,
				list)
		}
	}
	for _, path := range strings.Fields(string(want)) {
		if !slices.Contains(got, path) {
			t.Errorf("%s is in the worker no more: take it out of %s", path, list)
		}
	}
}
