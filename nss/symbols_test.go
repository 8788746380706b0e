// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"debug/elf"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// oldest is the oldest glibc that the built library loads with. arm64 begins with 2.17, which is
// older than any distribution with security support.
var oldest = map[string][2]int{"amd64": {2, 17}, "arm64": {2, 17}}

// A library that was built on a new machine still loads on an old one.
func TestSymbolVersions(t *testing.T) {
	limit, listed := oldest[runtime.GOARCH]
	if !listed {
		t.Skipf("nobody has said how old glibc may be on %s", runtime.GOARCH)
	}
	dir := t.TempDir()
	so := filepath.Join(dir, "libnss_aad.so.2")
	out, err := exec.Command("make", "-s", "-C", "..", "B="+dir, so).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := elf.Open(so)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	users := map[string][]string{} // of a version
	for _, s := range symbols {
		users[s.Version] = append(users[s.Version], s.Name)
	}
	needs, err := f.DynamicVersionNeeds()
	if err != nil || len(needs) == 0 {
		t.Fatalf("%d libraries needed, %v", len(needs), err)
	}
	for _, library := range needs {
		for _, v := range library.Needs {
			var major, minor int
			if _, err := fmt.Sscanf(v.Dep, "GLIBC_%d.%d", &major, &minor); err != nil {
				t.Errorf("%s needs %s of %s, which is no plain version",
					users[v.Dep], v.Dep, library.Name)
			} else if major > limit[0] || minor > limit[1] {
				t.Errorf("%s needs %s of %s", users[v.Dep], v.Dep, library.Name)
			}
		}
	}
}
