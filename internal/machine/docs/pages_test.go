// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/emulator"
	"aadlogin/internal/machine/rig"
)

const alice = "alice@contoso.example"

var newPerson = emulator.User{Name: alice, ObjectID: "a11ce000-1111-2222-3333-444444444444"}

// fresh returns a machine with the configuration of the package and the addresses of the emulator.
// In its directory the machine has no permissions and alice has no role. She has never signed in.
func fresh(t *testing.T, resource string, endpoints ...string) {
	t.Helper()
	rig.Directory(t, func(d *emulator.Directory) {
		d.Users = append(d.Users, newPerson)
		d.Machine.ResourceID = resource
		d.Assignments, d.Roles = nil, nil
		d.UserConsent = "none"
	})
	rig.Must(t, "rm", "-rf", "/home/"+alice, "/var/cache/aad-login")
	shipped, err := os.ReadFile("../../../packaging/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(shipped)
	lines := append(endpoints, `authority = "`+rig.Entra.EntraURL(),
		`resource_manager = "`+rig.Entra.EntraURL(), `ca_file = "`+rig.CAFile)
	for _, line := range lines {
		key, _, _ := strings.Cut(line, " ")
		text = strings.Replace(text, "\n#"+key+` = ""`, "\n"+line+`"`, 1)
	}
	rig.Edit(t, rig.ConfigFile, func(string) []byte { return []byte(text) })
	t.Cleanup(func() {
		os.Remove(rig.ConfigFile + ".previous")
		rig.Must(t, "rm", "-rf", "/var/cache/aad-login")
	})
	rig.Edit(t, "/etc/hosts", rig.BeginWith("127.0.0.1 vm.contoso.example\n"))
	sshConfig(t, "Host vm.contoso.example\n\tPort "+rig.SSHPort+
		"\n\tStrictHostKeyChecking no\n\tUserKnownHostsFile /dev/null\n\tLogLevel ERROR\n")
}

// sshConfig sets root's own configuration of ssh for the length of a test.
func sshConfig(t *testing.T, text string) {
	t.Helper()
	if err := os.MkdirAll("/root/.ssh", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/root/.ssh/config", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove("/root/.ssh/config") })
}

const (
	demoVM  = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.Compute/virtualMachines/demo-vm"
	demoArc = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/demo/providers/Microsoft.HybridCompute/machines/demo-arc"
)

func TestGettingStarted(t *testing.T) {
	pages, err := filepath.Glob("../../../docs/getting-started/*.md")
	if err != nil || len(pages) != 3 {
		t.Fatal(pages, err)
	}
	t.Cleanup(func() { rig.Must(t, "aadctl", "config", "apply") })
	t.Run("azure-vm", func(t *testing.T) {
		t.Cleanup(func() { // if the page does not come so far
			out, _ := rig.Command(t, "", "dpkg-query", "-W", "-f", "${db:Status-Abbrev}",
				"aad-login")
			if out != "ii " {
				rig.Must(t, "dpkg", "--install", "--force-confold", rig.DebianPackage(t))
			}
		})
		rig.Must(t, "dpkg", "--remove", "aad-login")
		fresh(t, demoVM, `metadata = "`+rig.Entra.MetadataURL())
		if err := rig.Entra.Update(func(d *emulator.Directory) { d.Identities = nil }); err != nil {
			t.Fatal(err)
		}
		runPage(t, "docs/getting-started/azure-vm.md", false)
	})
	t.Run("arc", func(t *testing.T) {
		fresh(t, demoArc)
		if err := os.MkdirAll("/var/opt/azcmagent/tokens", 0o700); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll("/var/opt/azcmagent") })
		rig.Forward(t, "127.0.0.1:40342", "127.0.0.1:8442")
		runPage(t, "docs/getting-started/arc.md", false)
	})
	t.Run("any-linux", func(t *testing.T) {
		fresh(t, demoVM)
		runPage(t, "docs/getting-started/any-linux.md", false)
	})
}

// A newcomer sees the demonstration that README.md shows.
func TestReadme(t *testing.T) {
	rig.Directory(t, func(d *emulator.Directory) { d.Users = append(d.Users, newPerson) })
	rig.Must(t, "rm", "-rf", "/home/admin@contoso.example")
	runPage(t, "README.md", true)
}

// sshd and visudo accept what the pages show of sshd_config and sudoers.
func TestFragmentsOfPages(t *testing.T) {
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatal(pages, err)
	}
	const hostKey = "/etc/ssh/ssh_host_ed25519_key"
	looked := map[string]int{}
	file := filepath.Join(t.TempDir(), "fragment")
	for _, page := range pages {
		for _, b := range docBlocks(t, strings.TrimPrefix(page, "../../../")) {
			check := map[string][]string{
				"sshd-config": {"/usr/sbin/sshd", "-t", "-h", hostKey, "-f", file},
				"sudoers":     {"visudo", "-c", "-q", "-f", file},
				"ssh-config":  {"ssh", "-G", "-F", file, "vm.contoso.com"},
			}[b.info]
			if check == nil {
				continue
			}
			looked[b.info]++
			err := rig.ReplaceFile(file, []byte(strings.Join(b.lines, "\n")+"\n"), 0o440)
			if err != nil {
				t.Fatal(err)
			}
			if out, status := rig.Command(t, "", check[0], check[1:]...); status != 0 {
				t.Errorf("%v: %s", b, out)
			}
		}
	}
	if looked["sshd-config"] < 3 || looked["sudoers"] < 3 || looked["ssh-config"] < 1 {
		t.Errorf("found only %v", looked)
	}
}

// absent are paths that a machine has only at times.
var absent = map[string]string{
	"/run/aad-login/":        "with sign_in.reuse_window",
	"/var/log/aad-login.log": "where rsyslog keeps them there",
	"/var/log/azure/…AADLoginForLinux/aad-extension.log": "where the VM extension is",
}

// Our files that pages name exist on a machine that people have signed in to.
func TestPathsOfPages(t *testing.T) {
	rig.Stored(t, "user@contoso.example")
	rig.Must(t, "aadctl", "account", "set", "--shell", "/bin/sh", "user@contoso.example")
	rig.Must(t, "aadctl", "account", "set", "--shell", "/bin/bash", "user@contoso.example")
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil || pages == nil {
		t.Fatal(err)
	}
	named := 0
	for _, page := range append(pages, "../../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		paths := regexp.MustCompile("`(/(?:etc|usr|var|run)/[^` ]*aad[-_][^` ]*)`")
		for _, m := range paths.FindAllStringSubmatch(string(text), -1) {
			named++
			found, err := filepath.Glob(m[1])
			if (err != nil || found == nil) && absent[m[1]] == "" {
				t.Errorf("%s: there is no %s", page, m[1])
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d paths were found", named)
	}
}

// blockOf returns the only block of a page with a text in it.
func blockOf(t *testing.T, page, text string) string {
	t.Helper()
	var found []string
	for _, b := range docBlocks(t, page) {
		if whole := strings.Join(b.lines, "\n") + "\n"; strings.Contains(whole, text) {
			found = append(found, whole)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s: %d blocks with %q", page, len(found), text)
	}
	return found[0]
}

// With the line of docs/sudo.md there is no code, and Azure is still asked for the role.
func TestSudoWithoutACode(t *testing.T) {
	const name = "nopasswd@contoso.example"
	rig.Hire(t, name, rig.AdminRole)
	rig.Edit(t, "/etc/sudoers.d/aad_admins", func(string) []byte {
		return []byte(blockOf(t, "docs/sudo.md", "NOPASSWD"))
	})
	c := rig.SSH(t, name)
	c.SignIn(name)
	c.Expect(`\$ `)
	c.TypeLine("sudo id -u")
	c.Expect(`\n0\n(?s:.*)\$ `)
	rig.Hire(t, name, rig.LoginRole)
	c.TypeLine("sudo id -u")
	c.Expect(`is no longer an administrator of this machine\. Log out and in again to go on without, or ask for the role\.`)
	if strings.Count(c.All(), "To sign in") != 1 {
		t.Error("sudo asked for a code")
	}
}

// With the lines of docs/tools.md on the client, one sign-in serves everything that follows.
func TestOneConnectionForAll(t *testing.T) {
	const name = "user@contoso.example"
	config := blockOf(t, "docs/tools.md", "ControlMaster")
	config = strings.NewReplacer("alice@contoso.com", name, "vm.contoso.com", "127.0.0.1",
		"~/.ssh/", t.TempDir()+"/").Replace(config)
	sshConfig(t, config+"\tPort "+rig.SSHPort+
		"\n\tStrictHostKeyChecking no\n\tUserKnownHostsFile /dev/null\n\tLogLevel ERROR\n")
	c := rig.Open(t, "ssh", "127.0.0.1", "id", "-un")
	c.SignIn(name)
	c.Expect(`\n` + regexp.QuoteMeta(name) + `\n`)
	t.Cleanup(func() { rig.Must(t, "ssh", "-O", "exit", "127.0.0.1") })
	before := rig.Requests("devicecode")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	rig.Must(t, "scp", file, "127.0.0.1:copy")
	text := rig.Must(t, "ssh", "127.0.0.1", "cat", "copy")
	if text != "text" || rig.Requests("devicecode") != before {
		t.Errorf("%q, and %d more codes", text, rig.Requests("devicecode")-before)
	}
}
