// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
)

// The package's own file is filled in by the answers of a person, to whom the machine's tenant is proposed.
func TestSetupAsks(t *testing.T) {
	t.Cleanup(func() {
		os.Remove(configFile + ".previous")
		must(t, "aadctl", "config", "apply")
	})
	shipped, err := os.ReadFile("../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	edit(t, configFile, func(string) []byte {
		return replace("#metadata = \"\"", "metadata = \""+entra.MetadataURL()+"\"")(string(shipped))
	})
	directory(t, func(d *emulator.Directory) { d.Domains = append(d.Domains, "fabrikam.example") })
	c := open(t, "aadctl", "setup")
	c.expect(`Directory \(tenant\) ID \[aaaabbbb-0000-cccc-1111-dddd2222eeee\]: `)
	c.typeLine("")
	c.expect(`(?s)az ad app create .*Application \(client\) ID: `)
	c.typeLine("00001111-aaaa-2222-bbbb-3333cccc4444")
	c.expect(`Domains, .*: `)
	c.typeLine("contoso.example, fabrikam.example")
	c.expect(`domains = \["contoso.example", "fabrikam.example"\]`)
	if status, rest := c.end(); status != 0 {
		t.Fatalf("exit status %d: %s", status, rest)
	}
	must(t, "aadctl", "config", "check")
	if before, err := os.ReadFile(configFile + ".previous"); err != nil || len(before) < len(shipped) {
		t.Errorf("the file as it was: %q, %v", before, err)
	}
}

// What an option has said is not asked for, on a terminal either.
func TestSetupAsksForTheRest(t *testing.T) {
	t.Cleanup(func() { must(t, "aadctl", "config", "apply") })
	d := emulator.Contoso()
	c := open(t, "aadctl", "--config", t.TempDir()+"/config.toml", "setup", "--tenant", d.TenantID, "--client", d.ClientID)
	c.expect(`Domains, .*: `)
	if all := c.all(); strings.Contains(all, " ID") {
		t.Error(all)
	}
	c.typeLine("contoso.example")
	c.wentWell()
}

// Where no metadata service is, the agent of Azure Arc is asked, and what it says is written down.
func TestSetupOnArc(t *testing.T) {
	const id = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers" +
		"/Microsoft.HybridCompute/machines/demo-arc"
	d := emulator.Contoso()
	d.Machine.ResourceID = id
	agent := &emulator.Server{MetadataAddr: "127.0.0.1:40342"}
	agent.SetDirectory(d)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { agent.Close() })
	file := t.TempDir() + "/config.toml"
	out := must(t, "aadctl", "--config", file, "setup", "--tenant", d.TenantID, "--client", d.ClientID,
		"--domain", "contoso.example")
	t.Cleanup(func() { must(t, "aadctl", "config", "apply") })
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "authorization.resource_id = \""+id+"\"\n") {
		t.Errorf("%s, %v, after\n%s", text, err, out)
	}
}
