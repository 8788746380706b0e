// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestDamageUnderSanitizers cuts a small store short at every byte and changes every byte of it, in
// a program of C alone, where the sanitizers see a read of one byte beyond a store, or a write of
// one beyond a buffer.
func TestDamageUnderSanitizers(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("sources %q, %v", sources, err)
	}
	dir := t.TempDir()
	exe, file := filepath.Join(dir, "damage"), filepath.Join(dir, "small.cdb")
	compile(t, append([]string{
		"-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement",
		"-fsanitize=address,undefined", "-fno-sanitize-recover=all",
		"-o", exe, "testdata/fuzz/damage.c", "testdata/fuzz/ask.c",
	}, sources...)...)
	data, _ := build(t, testRules(), few)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, file)
	cmd.Env = []string{"ASAN_OPTIONS=detect_stack_use_after_return=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var stores, refused, answers int
	if _, err := fmt.Sscan(string(out), &stores, &refused, &answers); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	if stores != 11*len(data) || refused < len(data) || answers < stores {
		t.Errorf("%d damaged stores of %d bytes, %d of them refused, gave %d answers", stores,
			len(data), refused, answers)
	}
}
