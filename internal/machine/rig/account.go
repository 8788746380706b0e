// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Stored makes sure that an account has signed in once, whatever tests ran before.
func Stored(t *testing.T, name string) {
	t.Helper()
	if _, status := Command(t, "", "getent", "passwd", name); status == 0 {
		return
	}
	c := SSH(t, name, "true")
	c.SignIn(name)
	if status, rest := c.End(); status != 0 {
		t.Fatalf("%s could not sign in: %s", name, rest)
	}
}

// imports is the last uid of NextImport.
var imports = 70000

// Imported adds another account to the store at each call, and returns its name.
func Imported(t *testing.T) string {
	t.Helper()
	name, uid := NextImport()
	Must(t, "aadctl", "account", "import", PasswdFile(t, name, uid))
	return name
}

// NextImport returns a name and a uid that no earlier call has returned.
func NextImport() (name string, uid int) {
	imports++
	return fmt.Sprintf("imported%d@contoso.example", imports), imports
}

// PasswdFile writes a passwd file of one account for an import, and returns its path.
func PasswdFile(t *testing.T, name string, uid int) string {
	t.Helper()
	line := fmt.Sprintf("%s:x:%d:%d::/home/%[1]s:/bin/sh\n", name, uid, uid)
	path := filepath.Join(t.TempDir(), "passwd")
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
