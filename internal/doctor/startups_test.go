// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"testing"
)

// The finding names sshd's own limit. It is a warning only if the limit is known to bind.
func TestStartups(t *testing.T) {
	waiting := func(n int) map[string]string {
		files := map[string]string{"var/cache/aad-login/waiting/remote/door": "{}",
			"var/cache/aad-login/waiting/remote/slot-99": "",
			"var/cache/aad-login/waiting/local/slot-1":   "alice@contoso.com\nuid 0"}
		for i := range n {
			files[fmt.Sprint("var/cache/aad-login/waiting/remote/slot-",
				i)] = "alice@contoso.com\n192.0.2.1"
		}
		return files
	}
	for _, test := range []struct {
		limits  string
		most    int
		waiting int
		status  Status
		found   string
		write   string
	}{
		{"10:30:100", 64, 0, OK,
			"64 people may wait for a browser at once (sign_in.max_waiting); sshd drops " +
				"connections at random from 10 on that have not authenticated, and all from 100 " +
				"on (MaxStartups 10:30:100)", ""},
		{"10:30:100", 100, 9, OK, "100 people may wait", ""},
		{"10:30:100", 101, 0, Warning,
			"sign_in.max_waiting lets 101 people wait for a browser, but sshd drops",
			"MaxStartups 101:30:202"},
		{"10:100:10", 64, 0, Warning, "lets 64 people wait", "MaxStartups 64:30:128"},
		{"10:30:100", 64, 10, Warning, "10 people wait for a browser now, and sshd drops",
			"MaxStartups 64:30:128"},
		{"64:30:128", 64, 12, OK, "64 people may wait", ""},
	} {
		h := sshdOf(goodSSHD+"maxstartups "+test.limits+"\n",
			"OpenSSH_9.2p1", waiting(test.waiting))
		h.Config.SignIn.MaxWaiting = test.most
		findings := h.sshd(t.Context())
		expect(t, findings, OK, "to sign in")
		expect(t, findings, test.status, test.found)
		command := ""
		if test.write != "" {
			command = "sed -i '1i " + test.write + "' /etc/ssh/sshd_config"
		}
		if got := findings[len(findings)-1].Command; got != command || len(findings) != 2 {
			t.Errorf("%q; %s", got, told(findings...))
		}
	}
	for _, said := range []string{"", "maxstartups 10\n", "maxstartups none\n"} {
		if findings := sshdOf(goodSSHD+said, "", nil).sshd(t.Context()); len(findings) != 1 {
			t.Errorf("%q: %s", said, told(findings...))
		}
	}
}
