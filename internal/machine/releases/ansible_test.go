// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// TestAnsible plays the role of packaging/ansible on a release, as the script "ansible" has it run.
func TestAnsible(t *testing.T) {
	if releaseRoot() == "" {
		t.Skip("it takes a root of another release; run: make ansible")
	}
	v := visit{release: newRelease(t), locals: rig.NewKeyPair(t)}
	v.settleIn(t)
	p := newPlay(t, &v)
	for _, step := range []struct {
		name string
		do   func(*play, *testing.T)
	}{
		{"check mode", (*play).foresees},
		{"nothing given", (*play).refuses},
		{"install", (*play).installs},
		{"again", (*play).leavesAlone},
		{"another configuration", (*play).reconfigures},
		{"a bad configuration", (*play).keepsTheGoodOne},
		{"by hand", (*play).putsRight},
		{"remove", (*play).removes},
		{"purge", (*play).purges},
	} {
		if !t.Run(step.name, func(t *testing.T) { v.console.T = t; step.do(p, t) }) {
			t.Fatalf("%s failed; the steps after it need it", step.name)
		}
	}
	v.console.T = t
	v.off(t, "poweroff")
}

// play is a control node, which connects to the machine as root with a key.
type play struct {
	*visit
	dir  string
	args []string
	vars map[string]any
}

func newPlay(t *testing.T, v *visit) *play {
	t.Helper()
	key := rig.NewKeyPair(t)
	v.must(t, "install", "-d", "-m", "0700", "/root/.ssh")
	v.write(t, "/root/.ssh/authorized_keys", key.Public, 0o600)
	v.write(t, "/etc/ssh/sshd_config.d/20-groups.conf", "AllowGroups aad_users local root\n", 0o644)
	v.must(t, "systemctl", "reload", "ssh")
	v.listens(t)
	v.before = v.must(t, "sh", "-c", rig.WiringCommand)
	dir := t.TempDir()
	playbook := "- hosts: all\n  roles: [aad_login]\n"
	if err := os.WriteFile(dir+"/play.yaml", []byte(playbook), 0o644); err != nil {
		t.Fatal(err)
	}
	packages, err := filepath.Abs("../../../build/dist")
	if err != nil {
		t.Fatal(err)
	}
	roles, err := filepath.Abs("../../../packaging/ansible/roles")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ANSIBLE_ROLES_PATH", roles)
	t.Setenv("ANSIBLE_NOCOLOR", "1")
	t.Setenv("ANSIBLE_HOME", dir+"/home")
	t.Setenv("ANSIBLE_PYTHON_INTERPRETER", "/usr/bin/python3")
	args := []string{
		"-i", rig.Near + ",", "-u", "root", "--private-key", key.File, "--ssh-common-args",
		"-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
	}
	settings := map[string]any{
		"endpoints": map[string]any{
			"authority":        rig.Entra.EntraURL(),
			"resource_manager": rig.Entra.EntraURL(),
			"ca_file":          "/etc/emulator-ca.pem",
		},
		"sign_in": map[string]any{"qr": false, "max_waiting": 32},
		"accounts": map[string]any{
			"groups": map[string]any{"0f3c0f3c-1111-2222-3333-444444444444": "games"},
		},
	}
	return &play{v, dir, args, map[string]any{
		"aad_login_tenant_id": "aaaabbbb-0000-cccc-1111-dddd2222eeee",
		"aad_login_client_id": "00001111-aaaa-2222-bbbb-3333cccc4444",
		"aad_login_domains":   []string{"contoso.example"},
		"aad_login_packages":  packages,
		"aad_login_settings":  settings,
	}}
}

var recap = regexp.MustCompile(`(?m)^\S+ +: ok=(\d+) +changed=(\d+) +unreachable=0 +failed=(\d+)`)

// run plays the role, and returns the number of changes and the output.
func (p *play) run(t *testing.T, fails string, more ...string) (changed, said string) {
	t.Helper()
	vars, err := json.Marshal(p.vars)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.dir+"/vars.json", vars, 0o644); err != nil {
		t.Fatal(err)
	}
	out, status := rig.Command(t, "", "ansible-playbook",
		append(append(p.args, "-e", "@"+p.dir+"/vars.json", p.dir+"/play.yaml"), more...)...)
	counts := recap.FindStringSubmatch(out)
	if counts == nil || (status == 0) != (fails == "") || (counts[3] == "0") != (fails == "") {
		t.Fatalf("exit status %d: %s", status, out)
	}
	if !strings.Contains(strings.Join(strings.Fields(out), " "), fails) {
		t.Errorf("it does not say %q: %s", fails, out)
	}
	p.listens(t)
	return counts[2], out
}

// same fails unless the role finds nothing to do, in check mode and without.
func (p *play) same(t *testing.T) {
	t.Helper()
	for _, more := range [][]string{nil, {"--check", "--diff"}} {
		if changed, said := p.run(t, "", more...); changed != "0" {
			t.Errorf("%s things were changed: %s", changed, said)
		}
	}
}

func (p *play) foresees(t *testing.T) {
	if changed, said := p.run(t, "", "--check", "--diff"); changed == "0" {
		t.Errorf("nothing to do: %s", said)
	}
	p.asBefore(t)
	out, status := p.command(t, "ls", "/usr/sbin/aadctl", "/var/lib/aad-login-package")
	if status == 0 || strings.HasPrefix(out, "/") {
		t.Errorf("check mode has left %s", out)
	}
}

func (p *play) refuses(t *testing.T) {
	tenant := p.vars["aad_login_tenant_id"]
	p.vars["aad_login_tenant_id"] = ""
	p.run(t, "present takes aad_login_tenant_id, aad_login_client_id and aad_login_domains")
	p.vars["aad_login_tenant_id"] = tenant
	p.asBefore(t)
}

func (p *play) installs(t *testing.T) {
	p.run(t, "")
	shown := p.must(t, "aadctl", "config", "show")
	for _, line := range []string{
		`sign_in.max_waiting = 32`, `domains = ["contoso.example"]`,
		`"0f3c0f3c-1111-2222-3333-444444444444" = "games"`,
	} {
		if !strings.Contains(shown, line) {
			t.Errorf("no %s in\n%s", line, shown)
		}
	}
	p.signsIn(t)
}

func (p *play) signsIn(t *testing.T) {
	t.Helper()
	c := p.ssh(t, rig.User, "echo in as $(id -un)")
	c.SignIn(rig.User)
	c.Expect(`in as user@contoso\.example\n`)
	c.EndsWell()
	p.localsGetIn(t)
}

func (p *play) leavesAlone(t *testing.T) { p.same(t) }

func (p *play) reconfigures(t *testing.T) {
	settings := p.vars["aad_login_settings"].(map[string]any)
	settings["sign_in"] = map[string]any{"max_waiting": 16}
	p.vars["aad_login_metrics"] = true
	before := p.must(t, "cat", rig.ConfigFile)
	changed, said := p.run(t, "", "--check", "--diff")
	if changed == "0" || !strings.Contains(said, "+max_waiting = 16") {
		t.Errorf("%s things: %s", changed, said)
	}
	if now := p.must(t, "cat", rig.ConfigFile); now != before {
		t.Errorf("check mode has written %s", now)
	}
	p.run(t, "")
	shown := p.must(t, "aadctl", "config", "show")
	if !strings.Contains(shown, "sign_in.max_waiting = 16") {
		t.Error(shown)
	}
	p.must(t, "systemctl", "is-active", "aad-login-metrics.timer")
	p.same(t)
	p.vars["aad_login_metrics"] = false
	p.run(t, "")
	p.same(t)
	p.signsIn(t)
}

func (p *play) keepsTheGoodOne(t *testing.T) {
	domains, before := p.vars["aad_login_domains"], p.must(t, "cat", rig.ConfigFile)
	p.vars["aad_login_domains"] = []string{"contoso"}
	p.run(t, "domains: ")
	if now := p.must(t, "cat", rig.ConfigFile); now != before {
		t.Errorf("the configuration is %s", now)
	}
	p.vars["aad_login_domains"] = domains
	p.same(t)
}

// putsRight checks that the role reverts an edit on the machine.
func (p *play) putsRight(t *testing.T) {
	before := p.must(t, "cat", rig.ConfigFile)
	p.write(t, rig.ConfigFile, before+"colour = 1\n", 0o644)
	p.run(t, "")
	if now := p.must(t, "cat", rig.ConfigFile); now != before {
		t.Errorf("the configuration is %s", now)
	}
	p.same(t)
}

func (p *play) removes(t *testing.T) {
	p.vars["aad_login_state"] = "absent"
	if changed, said := p.run(t, "", "--check"); changed == "0" {
		t.Error(said)
	}
	p.signsIn(t)
	p.run(t, "")
	p.asBefore(t)
	p.must(t, "ls", rig.ConfigFile, rig.StoreFile)
	p.same(t)
}

func (p *play) purges(t *testing.T) {
	p.vars["aad_login_state"] = "purged"
	p.run(t, "")
	p.must(t, "ls", rig.StoreFile)
	out, status := p.command(t, "ls", "-d", "/etc/aad-login", "/var/lib/aad-login-package")
	if status == 0 || strings.HasPrefix(out, "/") {
		t.Errorf("left behind: %s", out)
	}
	p.same(t)
}
