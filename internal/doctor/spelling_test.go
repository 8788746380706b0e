// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"strings"
	"testing"
)

// A name in another spelling gets a sentence, and is not asked for a password. Otherwise the
// finding has the lines to write. If one line makes sshd read them all, that comes first.
func TestSpelling(t *testing.T) {
	const (
		nobody = "kbdinteractiveauthentication no\npasswordauthentication no\n"
		block  = `sed -i '1i Match User *%40*,*@*@*\n	Banner /usr/share/aad-login/name-spelling\n	KbdInteractiveAuthentication no\n` +
			`	PasswordAuthentication no\nMatch all' /etc/ssh/sshd_config`
		asks, silent = "who is nobody, for a password", "how a name is written"
	)
	for said, found := range map[string]string{
		misspelt: "",
		strings.Replace(misspelt, "wordauthentication no", "wordauthentication yes", 1):     asks,
		strings.Replace(misspelt, "activeauthentication no", "activeauthentication yes", 1): asks,
		nobody + "banner none\n":           silent,
		nobody + "banner /etc/issue.net\n": "", // the administrator's own
	} {
		for name, of := range map[string]string{"someone%40contoso.com": "%40",
			"someone@contoso.com@host": "@contoso.com@"} {
			h := sshdOf(goodSSHD, "OpenSSH_9.2p1", nil)
			run := h.Run
			h.Run = func(ctx context.Context, program string, args ...string) (string, error) {
				if program == sshdProgram && len(args) > 2 && strings.Contains(args[2], of) {
					return said, nil
				}
				return run(ctx, program, args...)
			}
			findings := h.sshd(t.Context())
			expect(t, findings, OK, "to sign in")
			switch {
			case found != "":
				expect(t, findings, Warning, name)
				expect(t, findings, Warning, found)
				if command := findings[len(findings)-1].Command; command != block {
					t.Error(command)
				}
			case len(findings) != 1:
				t.Error(told(findings...))
			}
		}
	}
}
