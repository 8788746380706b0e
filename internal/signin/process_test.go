// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/azure"
	"aadlogin/internal/config"
	"aadlogin/internal/emulator"
)

// If a rule forbids the host to ask the metadata service, nobody is let in, not even by a last
// grant. The log says which identity the rule must know. This holds whichever answer is missed
// first.
func TestMetadataForbidden(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	const forbidden = "Tell the administrator of this machine: a rule forbids this program to " +
		"ask the metadata service"
	logged := `reason="metadata-forbidden" account="user@contoso.example"`
	as := ` process_user="root" process_name="` + filepath.Base(exe) + `" process_exe="` + exe +
		`" fix="let root with the executable ` + exe + ` ask for`
	for name, test := range map[string]struct {
		lines string
		rules []emulator.Caller
		fault string
	}{
		"aadctl may": {"", []emulator.Caller{{User: "root", Exe: "/usr/sbin/aadctl"}},
			""},
		"another user may": {"", []emulator.Caller{{User: "nobody", Exe: exe}}, ""},
		"sources of the person": {`authorization.source = "permissions"`,
			[]emulator.Caller{{Process: "sshd"}}, ""},
		"by assignments": {`authorization.source = "role-assignments"`,
			[]emulator.Caller{{Process: "sshd"}}, ""},
		"all but the token": {"", nil, "identity"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, "authorization.grant_lifetime = \"8h\"\n"+test.lines)
			got, conv := m.signIn(m.request(user), user)
			ended(t, got, conv, Success, "", "signed-in")
			d := emulator.Contoso()
			d.Machine.Callers = test.rules
			m.entra.SetDirectory(d)
			if test.fault != "" {
				m.entra.Fail(emulator.Fault{
					Endpoint: test.fault, Status: 403,
					Header: map[string]string{"Connection": "close"},
				})
			}
			os.RemoveAll(m.signin.CacheDir) // the boot is another, and nothing is remembered
			got, conv = m.signIn(m.request(user), user)
			ended(t, got, conv, Misconfigured, forbidden, logged)
			if log := strings.Join(conv.logged, "\n"); !strings.Contains(log, as) {
				t.Errorf("%s\nlacks %s", log, as)
			}
			if strings.Contains(test.lines, "permissions") {
				return // the account phase goes by the last grant, and asks nobody
			}
			got, conv = m.again(m.request(user))
			ended(t, got, conv, Misconfigured, forbidden, logged)
		})
	}
}

func TestForbiddenFix(t *testing.T) {
	for name, test := range map[string]struct {
		who      process
		resource string
		want     string
	}{
		"in Azure": {process{"root", "sshd", "/usr/sbin/sshd"}, "",
			"let root with the executable /usr/sbin/sshd ask for /metadata/instance and"},
		"after an update": {process{"root", "sshd (deleted)", "/usr/sbin/sshd (deleted)"},
			"", "restart the service"},
		"on Arc": {process{"root", "sudo", "/usr/bin/sudo"},
			"/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/g/providers/Microsoft.HybridCompute/machines/m",
			"the agent of Azure Arc (azcmagent show) or a firewall: root must be let in with the " +
				"executable /usr/bin/sudo"},
	} {
		cfg := new(config.Config)
		cfg.Authorization.ResourceID = test.resource
		if got := forbiddenFix(test.who, cfg); !strings.Contains(got, test.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	// An answer of Resource Manager is not subject to these rules.
	if (&azure.Error{Op: azure.ResourceManager, Status: 403}).Forbidden() ||
		!(&azure.Error{Op: azure.MachineMetadata, Status: 403}).Forbidden() {
		t.Error("who forbids what")
	}
}
