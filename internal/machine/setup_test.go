// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"os"
	"testing"
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
