// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aadlogin/internal/account"
)

// A login shell that is no program keeps people out. If sshd locks them into a directory, it does
// not look at the shell.
func TestShell(t *testing.T) {
	for name, test := range map[string]struct {
		lines   string
		shell   string // of the stored account
		change  func(*account.Account)
		chroot  bool
		status  Status
		found   string
		command string
	}{
		"all there": {shell: "/bin/bash", status: OK, found: "login shells are there"},
		"configured": {lines: `accounts.shell = "/usr/bin/zsh"`, shell: "/bin/bash", status: Failed,
			found: "accounts.shell is /usr/bin/zsh, which does not exist", command: "sed "},
		"stored": {shell: "/usr/bin/fish", status: Failed,
			found: "the login shell of user@contoso.example is /usr/bin/fish, which does " +
				"not exist",
			command: `for a in user@contoso.example; do aadctl account set "$a" --shell /bin/bash; done`},
		"no program": {shell: "/bin/plain", status: Failed, found: "is not executable",
			command: "chmod a+x /bin/plain"},
		"a directory": {shell: "/bin", status: Failed, found: "is not a regular file",
			command: "for a in "},
		"locked": {shell: "/none",
			change: func(a *account.Account) { a.Locked = time.Now() },
			status: OK, found: "are there"},
		"removed": {shell: "/none",
			change: func(a *account.Account) { a.Removed = time.Now() },
			status: OK, found: "are there"},
		"locked into a directory": {lines: `accounts.shell = "/none"`, shell: "/none", chroot: true,
			status: OK, found: "are there"},
	} {
		t.Run(name, func(t *testing.T) {
			h := host(t, nil, test.lines)
			h.keep(t, stored(func(a *account.Account) {
				if a.Shell = test.shell; test.change != nil {
					test.change(a)
				}
			}))
			root := fstest.MapFS{"bin/bash": {Mode: 0o755}, "bin/plain": {Mode: 0o644}}
			if h.Files = root; test.chroot {
				chroot := []byte("ChrootDirectory /srv\n")
				root["etc/ssh/sshd_config"] = &fstest.MapFile{Data: chroot}
				h.Run = func(context.Context, string, ...string) (string, error) {
					return "chrootdirectory /srv\n", nil
				}
			}
			findings := h.shell(t.Context())
			if expect(t, findings, test.status, test.found); len(findings) != 1 ||
				!strings.HasPrefix(findings[0].Command, test.command) {
				t.Errorf("%+v", findings)
			}
		})
	}
}
