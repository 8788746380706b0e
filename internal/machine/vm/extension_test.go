// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// guestExtension is where image has put what the agent would unpack, of a later version.
const guestExtension = "/var/lib/waagent/" + rig.ExtensionName + "-0.1.1"

// byExtension upgrades the package with the handler of the VM extension, which runs as the agent
// does: a service that the policy has no domain for. The package's scripts run with it, under
// enforcement.
func byExtension(t *testing.T) {
	for name, text := range map[string]string{
		"HandlerEnvironment.json": fmt.Sprintf(`[{"name": %q, "version": 1.0, "handlerEnvironment": {"logFolder": "/var/log/azure",
			"configFolder": "%s/config", "statusFolder": "%[2]s/status", "heartbeatFile": "%[2]s/heartbeat"}}]`, rig.ExtensionName, guestExtension),
		"config/0.settings": fmt.Sprintf(`{"runtimeSettings": [{"handlerSettings": {"publicSettings": {
			"tenant_id": "aaaabbbb-0000-cccc-1111-dddd2222eeee", "client_id": "00001111-aaaa-2222-bbbb-3333cccc4444",
			"domains": ["contoso.example"], "endpoints": {"authority": %q, "resource_manager": %[1]q, "ca_file": %q}}}}]}`, rig.Entra.EntraURL(), guestCA),
	} {
		if err := os.WriteFile(filepath.Join(guestExtension, name),
			[]byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, status := handle(t, "install"); status != 0 {
		t.FailNow()
	}
	// On a starved machine a program may not answer within the time that the handler gives it; then
	// the agent tries again.
	for range 5 {
		if said, status := handle(t, "enable"); status == 0 {
			break
		} else if !strings.Contains(said, "no answer within") {
			t.FailNow()
		}
	}
	if report := rig.FileText(t, guestExtension+"/status/0.status"); !strings.Contains(report,
		`"status":"success"`) {
		t.Errorf("%s", report)
	}
	if version := rig.Must(t, "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}",
		"aad-login"); version != "installed 0.1.1" {
		t.Errorf("the package is %s", version)
	}
}

// handle runs the handler with a word. Its output is the journal's: the bus may not pass on a pipe
// of ours.
func handle(t *testing.T, word string) (said string, status int) {
	t.Helper()
	unit := "waagent-" + word
	_, status = rig.Command(t, "", "systemd-run", "--quiet", "--wait", "--collect", "--unit="+unit,
		"/bin/sh", "-c", "id -Z; exec "+guestExtension+"/bin/handler "+word)
	said = rig.Must(t, "journalctl", "--quiet", "--boot", "--output=cat", "--unit="+unit)
	said = said[max(0, strings.LastIndex(said, "Started "+unit)):] // of this time
	t.Logf("%s: exit status %d: %s", word, status, said)
	return said, status
}
