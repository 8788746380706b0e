// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"strings"
	"testing"
	"testing/fstest"

	"aadlogin/internal/config"
	"aadlogin/internal/sshd"
)

// A rule for a group that sign-ins change fails if it takes effect one sign-in late. The finding
// names its line.
func TestRulesByGroup(t *testing.T) {
	for _, test := range []struct{ rule, setting, want string }{
		{"Match Group devs", "auto", ""},
		{"Match Group devs", "true", ""},
		{"Match Group devs", "false",
			"/etc/ssh/sshd_config:2 has a rule by a group that sign-ins change (Match Group devs)"},
		{"AllowGroups root aad_admins", "false", "(AllowGroups root aad_admins)"},
		{"DenyGroups aad_*", "false", "(DenyGroups aad_*)"},
		{"AllowGroups aad_users", "false", ""},
		{"DenyUsers devs", "false", ""},
	} {
		h := &Host{Config: &config.Config{
			SignIn:   config.SignIn{ReconnectOnGroupChange: test.setting},
			Accounts: config.Accounts{Groups: map[string]string{"1": "devs"}}}}
		lines, err := sshd.Read(fstest.MapFS{"etc/ssh/sshd_config": {Data: []byte("UsePAM yes\n" +
			test.rule + "\n")}})
		if err != nil {
			t.Fatal(err)
		}
		got := h.rulesByGroup(lines)
		if (len(got) == 0) != (test.want == "") || len(got) > 0 &&
			(got[0].Status != Failed || !strings.Contains(got[0].Found, test.want) ||
				got[0].Command == "") {
			t.Errorf("%+v: %+v", test, got)
		}
	}
}
