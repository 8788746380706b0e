// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Only the log knows a person who was always refused. For a person who got in since, there is no
// finding.
func TestLastRefusal(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const no = "2026-03-01T10:00:00+00:00 vm sshd[1]: pam_aad(sshd:auth): denied " +
		"reason=\"no-role\" account=\"bob@contoso.com\" fix=\"reboot\"\n"
	const yes = "2026-03-01T11:00:00+00:00 vm sshd[1]: pam_aad(sshd:auth): signed-in " +
		"account=\"bob@contoso.com\"\n"
	for name, test := range map[string]struct{ log, who, found string }{
		"refused":             {no, "bob@contoso.com", "was denied: no-role"},
		"in another spelling": {no, "Bob@contoso.com", "was denied: no-role"},
		"let in since":        {no + yes, "bob@contoso.com", ""},
		"somebody else":       {no, "ann@contoso.com", ""},
		"long ago": {strings.ReplaceAll(no, "2026-03-01", "2026-02-01"),
			"bob@contoso.com", ""},
		"a forged reason": {strings.Replace(no, "no-role", "x; reboot", 1), "bob@contoso.com", ""},
		"no log":          {"", "bob@contoso.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.MkdirAll(filepath.Join(root, "var/log"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, "var/log/auth.log"),
				[]byte(test.log), 0o600); err != nil {
				t.Fatal(err)
			}
			findings := (&options{root: root}).lastRefusal(t.Context(), test.who, now)
			switch {
			case test.found == "" && findings != nil:
				t.Errorf("%+v", findings)
			case test.found != "" &&
				(len(findings) != 1 || !strings.Contains(findings[0].Found, test.found) ||
					strings.Contains(findings[0].Fix, "reboot")):
				t.Errorf("%+v", findings)
			}
		})
	}
}
