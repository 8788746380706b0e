// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package extension

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aadlogin/internal/machine/rig"
)

// The VM extension, driven by the code of the agent that every Linux machine in Azure runs
// (WALinuxAgent, Debian's package waagent).

// vmExtension returns the zip of a version, with a package of the same version for this machine
// only. It is built once.
func vmExtension(t *testing.T, version string) string {
	t.Helper()
	dist := filepath.Join(os.TempDir(), "extension-"+version)
	if err := os.Mkdir(dist, 0o755); os.IsExist(err) {
		return filepath.Join(dist, "AADLoginForLinux-"+version+".zip")
	}
	deb := filepath.Join(dist, "aad-login_"+version+"_amd64.deb")
	rig.Must(t, "sh", "-c",
		`dpkg-deb -R "$0" "$1/deb" && sed -i "s/^Version: .*/Version: $2/" "$1/deb/DEBIAN/control" &&
		dpkg-deb --root-owner-group -Znone -b "$1/deb" "$3" && rm -r "$1/deb"`,
		rig.DebianPackage(t), dist, version, deb)
	rig.Build(t, "../../../packaging/extension/build", dist, version, filepath.Base(deb))
	return filepath.Join(dist, "AADLoginForLinux-"+version+".zip")
}

// emulated returns settings that use the emulator instead of Azure.
func emulated(more string) string { return endpoints("127.0.0.1:8443", "127.0.0.1:8442", more) }

// unreachable returns settings of a sign-in service that refuses connections at once. Otherwise the
// check of the sign-in service takes five seconds.
func unreachable(more string) string { return endpoints("127.0.0.1:9", "127.0.0.1:9", more) }

func endpoints(authority, metadata, more string) string {
	return `{"tenant_id": "aaaabbbb-0000-cccc-1111-dddd2222eeee", "client_id": "00001111-aaaa-2222-bbbb-3333cccc4444",
		"domains": ["contoso.example"], "endpoints": {"authority": "https://` + authority +
		`", "resource_manager": "https://` + authority + `",
		"metadata": "http://` + metadata + `", "ca_file": "` + rig.CAFile +
		`"}, "sign_in": {"scope": "` + rig.OwnScope + `"}` + more + `}`
}

// An agent is WALinuxAgent with a directory of its own.
type agent struct {
	t           *testing.T
	directory   string
	versions    map[string]string
	incarnation int
}

type agentReport struct {
	Version, Status, Message string
	Extension                struct {
		Status, Message, Operation string
		Code                       int
		Parts                      []struct{ Name, Status, Message string } `json:"substatusList"`
	} `json:"extension_status"`
}

// want brings the machine to a state, "enabled" or "uninstall", and returns the agent's report.
func (a *agent) want(state, version string, sequence int, settings string) agentReport {
	a.t.Helper()
	a.incarnation++
	goal, err := json.Marshal(map[string]any{
		"name": rig.ExtensionName, "versions": a.versions, "directory": a.directory,
		"incarnation": fmt.Sprint(a.incarnation), "state": state,
		"version": version, "sequence": sequence, "settings": json.RawMessage(settings),
	})
	if err != nil {
		a.t.Fatal(err)
	}
	file := filepath.Join(a.directory, "goal")
	if err := os.WriteFile(file, goal, 0o600); err != nil {
		a.t.Fatal(err)
	}
	var reports []agentReport
	out := rig.Must(a.t, "/usr/bin/python3", "-B", "testdata/agent.py", file)
	if err := json.Unmarshal([]byte(out), &reports); err != nil || len(reports) > 1 {
		a.t.Fatalf("%v: %s", err, out)
	}
	return append(reports, agentReport{})[0]
}

// ready calls want, and fails unless that works.
func (a *agent) ready(version string, sequence int, settings string) agentReport {
	a.t.Helper()
	r := a.want("enabled", version, sequence, settings)
	if r.Status != "Ready" || r.Version != version || r.Extension.Status != "success" ||
		r.Extension.Operation != "Enable" {
		a.t.Fatalf("%+v", r)
	}
	return r
}

// The test goes from a bare machine to a sign-in and to a new version, and removes all again.
func TestExtension(t *testing.T) {
	rig.Unwired(t)
	rig.Must(t, "dpkg", "--purge", "aad-login")
	bare := rig.Wiring(t)
	old, current := "0.0.1", "0.0.2"
	a := &agent{
		t: t, directory: t.TempDir(),
		versions: map[string]string{old: vmExtension(t, old), current: vmExtension(t, current)},
	}

	// Unusable settings change nothing. The report names them and says what to do.
	r := a.want("enabled", old, 0, `{"tenant_id": "contoso"}`)
	const sentence = `publicSettings: tenant_id: "contoso" is not a GUID. Correct it: copy the ID from the Entra admin center`
	if r.Status != "NotReady" || !strings.Contains(r.Message, "Non-zero exit code: 22") ||
		!strings.Contains(r.Message, sentence) {
		t.Fatalf("%+v", r)
	}
	report := rig.FileText(t,
		filepath.Join(a.directory, "lib", rig.ExtensionName+"-"+old, "status/0.status"))
	if !strings.Contains(report, `"status":"error","code":22,`) ||
		!strings.Contains(report, strings.ReplaceAll(sentence, `"`, `\"`)) {
		t.Errorf("%s", report)
	}
	for _, line := range rig.Differences(bare, rig.Wiring(t)) {
		t.Error(line)
	}

	r = a.ready(old, 1, emulated(""))
	var parts []string
	for _, p := range r.Extension.Parts {
		parts = append(parts, p.Name)
		if p.Status != "success" {
			t.Errorf("%s: %s: %s", p.Name, p.Status, p.Message)
		}
	}
	for _, part := range []string{
		"settings", "package", "configuration", "accounts", "names", "pam", "sshd", "sudo",
		"sign-in service",
	} {
		if !slices.Contains(parts, part) {
			t.Errorf("no word about %s: %q", part, parts)
		}
	}
	const name = "admin@contoso.example"
	session := rig.SSH(t, name, "echo begun; cat")
	session.SignIn(name)
	session.Expect(`begun\n`)
	entry := rig.Must(t, "getent", "passwd", name)

	// An administrator's comment and keys stay, whatever the settings say. Settings with an older
	// number are ignored.
	rig.Edit(t, rig.ConfigFile, func(s string) []byte {
		s = strings.Replace(s, `#shell = "/bin/bash"`, `shell = "/bin/sh"`, 1)
		return []byte("# of an administrator\n" + s)
	})
	r = a.ready(old, 2, unreachable(`, "authorization": {"grant_lifetime": "1h"}`))
	last := r.Extension.Parts[len(r.Extension.Parts)-1]
	if last.Name != "sign-in service" || last.Status != "warning" {
		t.Errorf("%+v", last)
	}
	r = a.ready(old, 1, emulated(""))
	if !strings.Contains(fmt.Sprint(r.Extension.Parts), "Number 1 is older than 2") {
		t.Errorf("%+v", r)
	}
	text := rig.FileText(t, rig.ConfigFile)
	for _, line := range []string{
		"# of an administrator\n", "\nshell = \"/bin/sh\"\n", "\ngrant_lifetime = \"1h\"\n",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q in %s", line, text)
		}
	}

	// A new version keeps names, ids and configuration, and sessions go on.
	a.ready(current, 3, emulated(""))
	got := rig.Must(t, "dpkg-query", "-W", "-f", "${Status} ${Version}", "aad-login")
	if got != "install ok installed "+current {
		t.Errorf("the package is %s", got)
	}
	if got := rig.Must(t, "getent", "passwd", name); got != entry {
		t.Errorf("%q, was %q", got, entry)
	}
	text = strings.ReplaceAll(
		strings.ReplaceAll(text, "https://127.0.0.1:9", "https://127.0.0.1:8443"),
		"http://127.0.0.1:9", "http://127.0.0.1:8442")
	if got := rig.FileText(t, rig.ConfigFile); got != text {
		t.Errorf("the configuration is %s", got)
	}
	session.TypeLine("updated")
	session.Expect(`updated\nupdated\n`)
	c := rig.SSH(t, name, "echo again")
	c.SignIn(name)
	c.Expect(`again\n`)
	c.End()

	// After the removal the machine is as before, except for accounts and configuration.
	a.want("uninstall", current, 3, emulated(""))
	for _, line := range rig.Differences(bare, rig.Wiring(t)) {
		t.Errorf("uninstalled, the machine differs: %s", line)
	}
	if _, status := rig.Command(t, "", "getent", "passwd", name); status != 2 {
		t.Error("the name is still there")
	}
	if got := rig.FileText(t, rig.ConfigFile); got != text {
		t.Errorf("the configuration is %s", got)
	}
	if left, _ := filepath.Glob(a.directory + "/lib/" + rig.ExtensionName + "-*"); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	session.TypeLine("uninstalled")
	session.Expect(`uninstalled\nuninstalled\n`)
}

// No name in the zip leads out of the directory that it is unpacked in, whichever program unpacks
// it. The programs are executable.
func TestExtensionZip(t *testing.T) {
	file := vmExtension(t, "0.0.1")
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	modes := map[string]os.FileMode{}
	for _, f := range z.File {
		modes[f.Name] = f.Mode()
		if !filepath.IsLocal(f.Name) || filepath.ToSlash(filepath.Clean(f.Name)) != f.Name {
			t.Errorf("%q", f.Name)
		}
	}
	want := map[string]os.FileMode{
		"HandlerManifest.json":               0o644,
		"bin/handler":                        0o755,
		"bin/aad-extension-amd64":            0o755,
		"bin/aad-extension-arm64":            0o755,
		"packages/aad-login_0.0.1_amd64.deb": 0o644,
	}
	if fmt.Sprint(modes) != fmt.Sprint(want) {
		t.Errorf("%v", modes)
	}
	again := filepath.Dir(file)
	rig.Must(t, "mv", file, file+".once")
	rig.Build(t, "../../../packaging/extension/build", again, "0.0.1", "aad-login_0.0.1_amd64.deb")
	rig.Must(t, "cmp", file, file+".once")
	out, status := rig.Command(t, "", "../../../packaging/extension/build", again, "0.0.1")
	if status == 0 || !strings.Contains(out, "arm64.deb is missing") {
		t.Errorf("a package is missing, and it said %q, status %d", out, status)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		program := filepath.Join(t.TempDir(), arch)
		unzip(t, file, "bin/aad-extension-"+arch, program)
		out := rig.Must(t, "readelf", "-hl", program)
		if strings.Contains(out, "INTERP") || arch == "arm64" != strings.Contains(out, "AArch64") {
			t.Errorf("%s is not static, or not for its processor:\n%s", arch, out)
		}
	}
}

func unzip(t *testing.T, file, name, to string) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	in, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err == nil {
		err = os.WriteFile(to, text, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}
