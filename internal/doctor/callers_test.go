// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"aadlogin/internal/emulator"
)

// programs returns the files of a machine. A name with a target is a link.
func programs(names ...string) fstest.MapFS {
	system := fstest.MapFS{}
	for _, name := range names {
		name, to, link := strings.Cut(name, " -> ")
		system[name] = &fstest.MapFile{Mode: 0o755}
		if link {
			system[name] = &fstest.MapFile{Mode: fs.ModeSymlink | 0o777, Data: []byte(to)}
		}
	}
	return system
}

// The executables are those in /proc/PID/exe of the programs that call PAM on this machine.
func TestMetadataCallers(t *testing.T) {
	for name, test := range map[string]struct {
		files    fstest.MapFS
		services []string
		want     string
	}{
		"Debian 12": {programs("usr/sbin/sshd", "usr/bin/sudo", "usr/bin/su", "usr/sbin/cron",
			"usr/lib/polkit-1/polkit-agent-helper-1",
			"usr/lib/policykit-1/polkit-agent-helper-1 -> ../polkit-1/polkit-agent-helper-1"), nil,
			"/usr/bin/su, /usr/bin/sudo, /usr/lib/polkit-1/polkit-agent-helper-1, " +
				"/usr/sbin/cron, /usr/sbin/sshd"},
		"OpenSSH 9.8 and later": {programs("usr/sbin/sshd", "usr/lib/openssh/sshd-session",
			"usr/lib/openssh/sshd-auth", "usr/sbin/crond"),
			[]string{"sshd"}, "/usr/lib/openssh/sshd-session, /usr/sbin/crond"},
		"sudo-rs": {programs("usr/bin/sudo -> /etc/alternatives/sudo",
			"etc/alternatives/sudo -> /usr/lib/cargo/bin/sudo", "usr/lib/cargo/bin/sudo"),
			[]string{"sudo", "sudo-i"}, "/usr/lib/cargo/bin/sudo"},
		"a link in a circle": {programs("usr/bin/su -> su2", "usr/bin/su2 -> su"), []string{"su"},
			"none"},
		"not listed": {programs("usr/bin/sudo", "usr/sbin/sshd"),
			[]string{"sshd"}, "/usr/sbin/sshd"},
		"listed by the administrator": {programs("usr/sbin/sshd"), []string{"sshd", "vpn"},
			"/usr/sbin/sshd, and those of the services vpn"},
	} {
		t.Run(name, func(t *testing.T) {
			h := host(t, nil, "")
			h.Files = test.files
			if test.services != nil {
				h.Config.SignIn.Services = test.services
			}
			if got := h.mustAsk(); got != "sign-ins ask as root with the executables "+test.want {
				t.Error(got)
			}
		})
	}
}

// Links of a real file system are followed like those of the tables above.
func TestMetadataCallersOnDisk(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"usr/bin", "etc/alternatives", "usr/lib/cargo/bin"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(os.WriteFile(filepath.Join(root, "usr/lib/cargo/bin/sudo"), nil, 0o755),
		os.Symlink("/usr/lib/cargo/bin/sudo", filepath.Join(root, "etc/alternatives/sudo")),
		os.Symlink("../../etc/alternatives/sudo", filepath.Join(root, "usr/bin/sudo")),
		os.Symlink("su", filepath.Join(root, "usr/bin/su")))
	if err != nil {
		t.Fatal(err)
	}
	h := host(t, nil, "")
	h.Files = os.DirFS(root)
	if got, _ := h.metadataCallers(); !slices.Equal(got, []string{"/usr/lib/cargo/bin/sudo"}) {
		t.Error(got)
	}
}

// The test knows executables for every service that shows a code by default.
func TestHostsOfServices(t *testing.T) {
	for _, service := range host(t, nil, "").Config.SignIn.Services {
		if len(callers[service]) == 0 {
			t.Errorf("of which executable is %s?", service)
		}
	}
}

// A rule about programs that forbids aadctl is not reported as an unreachable service. A rule that
// allows aadctl proves nothing about sign-ins.
func TestRulesAboutPrograms(t *testing.T) {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	files := programs("usr/sbin/sshd", "usr/bin/sudo")
	for name, test := range map[string]struct {
		rules    []emulator.Caller
		identity bool // only the identity is refused
		redirect bool
		status   Status
		found    string
		fix      string
	}{
		"forbidden": {[]emulator.Caller{{Exe: "/usr/sbin/sshd"}}, false, false, Failed,
			"a rule forbids aadctl (root, " + exe +
				") to ask the metadata service: metadata: HTTP 403",
			"root with the executables /usr/bin/sudo, /usr/sbin/sshd; let those, and " + exe},
		"the token": {nil, true, false, Failed,
			"to ask the metadata service: managed identity token: HTTP 403",
			"cannot be told from here"},
		"allowed": {[]emulator.Caller{{User: "root", Exe: exe}}, false, true, Warning,
			"the metadata service is asked through a proxy of this machine, 127.0.0.1:",
			"root with the executables /usr/bin/sudo, /usr/sbin/sshd; compare"},
		"no rules, a proxy": {nil, false, true, Warning, "which lets aadctl through",
			"compare them with the rules in force"},
		"no proxy": {nil, false, false, OK, "roles are looked up at", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := emulator.Contoso()
			d.Machine.Callers = test.rules
			entra := &emulator.Server{Directory: d}
			if err := entra.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { entra.Close() })
			if test.identity {
				entra.Fail(emulator.Fault{Endpoint: "identity", Status: 403})
			}
			h := host(t, entra, "")
			h.Files = files
			// The kernel connects this address to another, and the socket tells which, as behind
			// the guest proxy agent.
			if test.redirect {
				h.Config.Endpoints.Metadata = strings.Replace(entra.MetadataURL(),
					"127.0.0.1", "0.0.0.0", 1)
			}
			var all []Finding
			h.Remote(t.Context(), func(more []Finding) { all = append(all, more...) })
			expect(t, all, test.status, test.found)
			proxied := false
			for _, r := range all {
				proxied = proxied || strings.Contains(r.Found, "through a proxy")
				if strings.Contains(r.Found, test.found) && !strings.Contains(r.Fix, test.fix) {
					t.Errorf("%+v", r)
				}
				if r.Kind == Unreachable {
					t.Errorf("unreachable: %+v", r)
				}
			}
			if proxied != test.redirect {
				t.Errorf("a proxy: %v\n%s", proxied, told(all...))
			}
		})
	}
}
