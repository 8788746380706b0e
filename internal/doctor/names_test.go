// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"context"
	"errors"
	"testing"

	"aadlogin/internal/config"
)

// sudo goes by the name aad_admins, so a group of another source makes administrators.
func TestNames(t *testing.T) {
	const users, admins = "aad_users:*:1879048192:\n", "aad_admins:*:1879048193:alice@contoso.com\n"
	for name, test := range map[string]struct {
		users, admins string
		status        Status
		found         string
	}{
		"ours":      {users, admins, OK, "aad_users and aad_admins"},
		"nobody":    {"", "", Failed, "does not find the group aad_users"},
		"no admins": {users, "", Failed, "does not find the group aad_admins"},
		"users of another source": {"aad_users:x:990:\n", admins, Failed,
			"another source has a group of this name"},
		"admins of another source": {users, "aad_admins:x:991:mallory\n", Failed,
			"sudo takes its members for administrators"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &config.Config{}
			c.Accounts.IDRange = [2]uint32{1879048192, 2147483646}
			said := map[string]string{"aad_users": test.users, "aad_admins": test.admins}
			getent := func(_ context.Context, _ string, args ...string) (string, error) {
				if line := said[args[1]]; line != "" {
					return line, nil
				}
				return "", errors.New("exit status 2")
			}
			h := &Host{Config: c, System: System{Run: getent}}
			expect(t, h.names(t.Context()), test.status, test.found)
		})
	}
}
