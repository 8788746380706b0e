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

// byExtension upgrades the package with the handler of the VM extension, which runs as the agent does: a service that the policy has no
// domain for. The package's scripts run with it, under enforcement.
func byExtension(t *testing.T) {
	for name, text := range map[string]string{
		"HandlerEnvironment.json": fmt.Sprintf(`[{"name": %q, "version": 1.0, "handlerEnvironment": {"logFolder": "/var/log/azure",
			"configFolder": "%s/config", "statusFolder": "%[2]s/status", "heartbeatFile": "%[2]s/heartbeat"}}]`, rig.ExtensionName, guestExtension),
		"config/0.settings": fmt.Sprintf(`{"runtimeSettings": [{"handlerSettings": {"publicSettings": {
			"tenant_id": "aaaabbbb-0000-cccc-1111-dddd2222eeee", "client_id": "00001111-aaaa-2222-bbbb-3333cccc4444",
			"domains": ["contoso.example"], "endpoints": {"authority": %q, "resource_manager": %[1]q, "ca_file": %q}}}}]}`, rig.Entra.EntraURL(), guestCA),
	} {
		if err := os.WriteFile(filepath.Join(guestExtension, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, verb := range []string{"install", "enable"} {
		t.Logf("%s: %s", verb, rig.Must(t, "systemd-run", "--quiet", "--wait", "--pipe", "/bin/sh", "-c", "id -Z; exec "+guestExtension+"/bin/handler "+verb))
	}
	if report := rig.FileText(t, guestExtension+"/status/0.status"); !strings.Contains(report, `"status":"success"`) {
		t.Errorf("%s", report)
	}
	if version := rig.Must(t, "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", "aad-login"); version != "installed 0.1.1" {
		t.Errorf("the package is %s", version)
	}
}
