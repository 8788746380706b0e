// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

// A person's answers fill in the package's own file. The machine's tenant is proposed to them.
func TestSetupAsks(t *testing.T) {
	t.Cleanup(func() {
		os.Remove(rig.ConfigFile + ".previous")
		rig.Must(t, "aadctl", "config", "apply")
	})
	shipped, err := os.ReadFile("../../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	rig.Edit(t, rig.ConfigFile, func(string) []byte {
		return []byte(strings.NewReplacer(
			"#metadata = \"\"", "metadata = \""+rig.Entra.MetadataURL()+"\"",
			"#authority = \"\"", "authority = \""+rig.Entra.EntraURL()+"\"",
			"#ca_file = \"\"", "ca_file = \"/run/aad-emulator-ca.pem\"",
		).Replace(string(shipped)))
	})
	rig.Directory(t, func(d *emulator.Directory) {
		d.Domains = append(d.Domains, "fabrikam.example")
	})
	c := rig.Open(t, "aadctl", "setup")
	c.Expect(`Directory \(tenant\) ID \[aaaabbbb-0000-cccc-1111-dddd2222eeee\]: `)
	c.TypeLine("contoso")
	c.Expect(`"contoso" is not a GUID; copy the ID .*`)
	c.Expect(`Directory \(tenant\) ID \[aaaabbbb-0000-cccc-1111-dddd2222eeee\]: `)
	c.TypeLine("")
	c.Expect(`(?s)az ad app create .*Application \(client\) ID: `)
	c.TypeLine("")
	c.Expect(`This has to be known`)
	c.Expect(`Application \(client\) ID: `)
	c.TypeLine("00001111-aaaa-2222-bbbb-3333cccc4444")
	c.Expect(`Domains, .*: `)
	c.TypeLine("contoso.exmaple")
	c.Expect(`contoso\.exmaple is a domain of no tenant that .* knows\. ENTER keeps it all the same\.`)
	c.Expect(`Domains, .* \[contoso\.exmaple\]: `)
	c.TypeLine("contoso.example, fabrikam.example")
	c.Expect(`domains = \["contoso.example", "fabrikam.example"\]`)
	if status, rest := c.End(); status != 0 {
		t.Fatalf("exit status %d: %s", status, rest)
	}
	rig.Must(t, "aadctl", "config", "check")
	before, err := os.ReadFile(rig.ConfigFile + ".previous")
	if err != nil || len(before) < len(shipped) {
		t.Errorf("the file as it was: %q, %v", before, err)
	}
	// The stored values are proposed. Another answer needs no --force.
	c = rig.Open(t, "aadctl", "setup")
	c.Expect(`Directory \(tenant\) ID \[aaaabbbb-0000-cccc-1111-dddd2222eeee\]: `)
	c.TypeLine("")
	c.Expect(`Application \(client\) ID \[00001111-aaaa-2222-bbbb-3333cccc4444\]: `)
	c.TypeLine("")
	c.Expect(`Domains, .* \[contoso\.example, fabrikam\.example\]: `)
	c.TypeLine("contoso.example")
	c.Expect(`domains = \["contoso.example"\]`)
	if status, rest := c.End(); status != 0 {
		t.Fatalf("exit status %d: %s", status, rest)
	}
	// Only root gets as far as a question.
	out, status := rig.Command(t, "", "setpriv", "--reuid=65534", "--clear-groups",
		"aadctl", "setup")
	if status != 1 || !strings.HasPrefix(out, "aadctl: setup: only root may set this machine up") {
		t.Errorf("%d: %s", status, out)
	}
}

// On a terminal, too, the values of options are not asked for.
func TestSetupAsksForTheRest(t *testing.T) {
	t.Cleanup(func() { rig.Must(t, "aadctl", "config", "apply") })
	d := emulator.Contoso()
	c := rig.Open(t, "aadctl", "--config", t.TempDir()+"/config.toml", "setup", "--tenant",
		d.TenantID, "--client", d.ClientID)
	c.Expect(`Domains, .*: `)
	if all := c.All(); strings.Contains(all, " ID") {
		t.Error(all)
	}
	c.TypeLine("contoso.example")
	c.WentWell()
}

// If there is no metadata service, setup asks the agent of Azure Arc, and writes its answer down.
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
	out := rig.Must(t, "aadctl", "--config", file, "setup", "--tenant",
		d.TenantID, "--client", d.ClientID,
		"--domain", "contoso.example")
	t.Cleanup(func() { rig.Must(t, "aadctl", "config", "apply") })
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "authorization.resource_id = \""+id+"\"\n") {
		t.Errorf("%s, %v, after\n%s", text, err, out)
	}
}
