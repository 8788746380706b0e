// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package nss

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program that sets errno to 0 before a call and looks at it afterwards must not see an error
// where there is none: libsemanage for one takes an error at the end of getpwent(3) for a list cut
// short. The reference is the name service files alone, through the C library.
func TestErrnoIsThatOfFiles(t *testing.T) {
	l := buildLibrary(t)
	exe := filepath.Join(t.TempDir(), "errno")
	compile(t, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wdeclaration-after-statement",
		"-o", exe, "testdata/errno.c")
	run := func(services string) string {
		t.Helper()
		cmd := exec.Command(exe, services)
		cmd.Env = []string{"LD_LIBRARY_PATH=" + filepath.Dir(l.so)}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", services, err, out)
		}
		return string(out)
	}
	want := run("files")
	if n := strings.Count(want, "\n"); n != 30 {
		t.Fatalf("%d lines:\n%s", n, want)
	}
	full, _ := build(t, testRules(), people)
	empty, _ := build(t, testRules(), nobody)
	for what, data := range map[string][]byte{
		"accounts":   full,
		"no account": empty,
		"no store":   nil,
	} {
		if data == nil {
			if err := os.RemoveAll(l.store); err != nil {
				t.Fatal(err)
			}
		} else {
			l.write(t, data)
		}
		for _, services := range []string{"files aad", "aad files"} {
			if got := run(services); got != want {
				t.Errorf("%s, %q:\n%s\nwant\n%s", what, services, got, want)
			}
		}
	}
}
