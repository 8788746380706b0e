// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"aadlogin/internal/authlog"
)

// A line of the journal counts if root has written it, or a program such as su that only root can
// have made setuid.
func TestOfRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a program that is setuid root")
	}
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"su": 0o755 | os.ModeSetuid, "logger": 0o755,
		"theirs": 0o755 | os.ModeSetuid} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if name == "theirs" {
			if err := os.Chown(filepath.Join(dir, name), 1000, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for writer, want := range map[*authlog.Writer]bool{
		nil: true, {UID: 0}: true, {UID: 0, Exe: "/logger"}: true, {UID: 1000, Exe: "/su"}: true,
		{UID: 1000}: false, {UID: 1000, Exe: "/logger"}: false, {UID: 1000, Exe: "/theirs"}: false,
		{UID: 1000, Exe: "/gone"}: false,
		{UID: 1000, Exe: "/"}:     false, {UID: 1000, Exe: "/../su"}: false,
	} {
		if got := ofRoot(os.DirFS(dir), writer); got != want {
			t.Errorf("%+v: %v", writer, got)
		}
	}
}
