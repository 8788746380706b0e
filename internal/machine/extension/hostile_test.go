// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package extension

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aadlogin/internal/machine/rig"
)

// A handler is the extension as the agent unpacks it, run by hand.
type handler struct {
	t    *testing.T
	base string
}

func newHandler(t *testing.T, file string) *handler {
	t.Helper()
	h := &handler{t, t.TempDir()}
	for _, name := range []string{"bin", "packages", "config", "status", "log"} {
		if err := os.Mkdir(filepath.Join(h.base, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"bin/handler", "bin/aad-extension-amd64", "packages/aad-login_0.0.1_amd64.deb",
	} {
		unzip(t, file, name, filepath.Join(h.base, name))
	}
	h.write("HandlerEnvironment.json",
		fmt.Sprintf(`[{"name": %q, "version": 1.0, "handlerEnvironment": {"logFolder": "%[2]s/log",
		"configFolder": "%[2]s/config", "statusFolder": "%[2]s/status", "heartbeatFile": "%[2]s/heartbeat.log"}}]`, rig.ExtensionName, h.base))
	return h
}

func (h *handler) write(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.base, name), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *handler) settings(sequence int, public string) {
	h.write(fmt.Sprintf("config/%d.settings", sequence),
		`{"runtimeSettings": [{"handlerSettings": {"publicSettings": `+public+
			`, "protectedSettings": "TUlJ", "protectedSettingsCertThumbprint": "A"}}]}`)
}

func (h *handler) run(what string) (string, int) {
	h.t.Helper()
	return rig.Command(h.t, "", h.base+"/bin/handler", what)
}

// must runs a command, and fails unless it succeeds.
func (h *handler) must(what string) {
	h.t.Helper()
	if out, status := h.run(what); status != 0 {
		h.t.Fatalf("%s: exit status %d: %s\n%s", what, status, out,
			rig.FileText(h.t, h.base+"/log/aad-extension.log"))
	}
}

// refuses fails unless a command ends with an exit status, and has a sentence in its output and in
// its report.
func (h *handler) refuses(what string, status int, sentence string) {
	h.t.Helper()
	out, got := h.run(what)
	report, _ := os.ReadFile(filepath.Join(h.base, "status/1.status"))
	if got != status || !strings.Contains(out, sentence) ||
		!strings.Contains(string(report), strings.Trim(fmt.Sprintf("%q", sentence), `"`)) ||
		!strings.Contains(string(report), fmt.Sprintf(`"status":"error","code":%d,`, status)) {
		h.t.Errorf("%s: exit status %d, not %d, said %q, reports %s",
			what, got, status, out, report)
	}
}

// standIn replaces a program by a script while during runs.
func standIn(t *testing.T, program, script string, during func()) {
	t.Helper()
	if err := os.Rename(program, program+".real"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	during()
	if err := os.Rename(program+".real", program); err != nil {
		t.Fatal(err)
	}
}

// An obstacle is found before anything changes, and has the exit status that Azure knows for it.
func TestExtensionRefuses(t *testing.T) {
	h := newHandler(t, vmExtension(t, "0.0.1"))
	h.settings(1, emulated(""))
	rig.Unwired(t)
	rig.Must(t, "dpkg", "--purge", "aad-login")
	bare := rig.Wiring(t)
	refuses := func(status int, sentence string) {
		t.Helper()
		for _, what := range []string{"install", "enable"} {
			h.refuses(what, status, sentence)
		}
	}
	t.Run("another module", func(t *testing.T) {
		rig.Put(t, "/lib/security/pam_aad.so", "of another maker")
		refuses(23, "/lib/security/pam_aad.so is there already, and is not this extension's.")
	})
	t.Run("another entry", func(t *testing.T) {
		rig.Edit(t, "/etc/nsswitch.conf",
			func(s string) []byte { return []byte("passwd: files aad\n" + s) })
		refuses(23, "/etc/nsswitch.conf names a service aad already (passwd: files aad).")
	})
	t.Run("another distribution", func(t *testing.T) {
		release, err := filepath.EvalSymlinks("/etc/os-release")
		if err != nil {
			t.Fatal(err)
		}
		rig.Edit(t, release, func(string) []byte {
			return []byte("ID=ubuntu\nVERSION_ID=\"18.04\"\nPRETTY_NAME=\"Ubuntu 18.04.6 LTS\"\n")
		})
		refuses(51, "Ubuntu 18.04.6 LTS is not supported. It has come to its end")
	})
	t.Run("a missing package", func(t *testing.T) {
		deb := h.base + "/packages/aad-login_0.0.1_amd64.deb"
		rig.Must(t, "cp", deb, h.base+"/deb")
		rig.Must(t, "sh", "-c",
			`dpkg-deb -R "$0" "$0.d" && sed -i "s/^Depends: /&libnonesuch (>= 2) | bash (>= 99), bash (>= 1), /" "$0.d/DEBIAN/control" &&
			dpkg-deb -Znone -b "$0.d" "$0"`, deb)
		refuses(52, "The package needs what is not installed: libnonesuch (>= 2) | bash (>= 99).")
		rig.Must(t, "mv", h.base+"/deb", deb)
	})
	t.Run("no settings", func(t *testing.T) {
		h.write("config/1.settings", "")
		refuses(22, "There are no settings, and no complete configuration on the machine: "+
			"tenant_id is missing.")
		h.write("config/1.settings", "{")
		refuses(22, "1.settings: is not what the agent writes: no JSON at byte 1.")
	})
	for _, line := range rig.Differences(bare, rig.Wiring(t)) {
		t.Error(line)
	}
	log := rig.FileText(t, h.base+"/log/aad-extension.log")
	if strings.Contains(log, "TUlJ") || !strings.Contains(log, "libnonesuch") {
		t.Errorf("the log is %s", log)
	}
}

// Each command can be repeated, in any order, two at once, and after another was killed at any
// step.
func TestExtensionAgainAndAgain(t *testing.T) {
	h := newHandler(t, vmExtension(t, "0.0.1"))
	h.settings(0, emulated(""))
	h.settings(1, unreachable(""))
	const name = "user@contoso.example"
	rig.Stored(t, name)
	l := rig.NewLocals(t)
	rig.Unwired(t)
	rig.Must(t, "dpkg", "--purge", "aad-login")
	bare := rig.Wiring(t)

	// killed runs a command until a program that it or dpkg calls kills all of them.
	killed := func(what, program string) {
		t.Helper()
		pid := filepath.Join(t.TempDir(), "pid")
		script := fmt.Sprintf("kill -9 $(cat %s) $PPID # preinst looks whether it knows '--root'\n",
			pid)
		standIn(t, program, script, func() {
			out, status := rig.Command(t, "", "sh", "-c",
				`echo $$ >"$0"; exec "$1/bin/handler" "$2"`, pid, h.base, what)
			if status != -1 {
				t.Errorf("%s with %s: exit status %d, said %s", what, program, status, out)
			}
		})
	}
	killed("install", "/usr/sbin/pam-auth-update")
	killed("enable", "/usr/bin/dpkg-deb")
	h.must("install")
	wired := rig.Wiring(t)
	killed("enable", "/usr/sbin/aadctl") // written, not applied
	h.must("enable")
	rig.Must(t, "aadctl", "check", "--offline")
	text := rig.FileText(t, rig.ConfigFile)

	// Sign-in is switched off for accounts of ours only, and on again.
	for range 2 {
		h.must("disable")
	}
	l.GetIn(t, "disabled")
	if withBrowser, withKey := rig.Enters(t, name); withBrowser == nil || withKey == nil {
		t.Errorf("disabled, with a browser: %v; with a key: %v", withBrowser, withKey)
	}
	killed("enable", "/usr/sbin/aadctl")
	h.must("enable")
	if got := rig.FileText(t, rig.ConfigFile); got != text {
		t.Errorf("the configuration is %s", got)
	}
	h.settings(2, emulated(""))
	h.must("enable")
	if withBrowser, withKey := rig.Enters(t, name); withBrowser != nil || withKey != nil {
		t.Errorf("enabled, with a browser: %v; with a key: %v", withBrowser, withKey)
	}
	h.settings(3, unreachable(""))

	// Two commands run at once, while another process installs something.
	lock, err := os.OpenFile("/var/lib/dpkg/lock-frontend", os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	whole := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(lock.Fd(), syscall.F_SETLK, &whole); err != nil {
		t.Fatal(err)
	}
	var both [2]*exec.Cmd
	for i, what := range []string{"uninstall", "install"} {
		both[i] = exec.Command(h.base+"/bin/handler", what)
		if err := both[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	rig.Eventually(t, "one waits for the other", rig.Patience, func() bool {
		locks, _ := os.ReadFile("/proc/locks")
		return strings.Contains(string(locks), "FLOCK  ADVISORY  WRITE")
	})
	lock.Close()
	for _, cmd := range both {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", cmd.Args, err)
		}
	}
	for range 2 {
		h.must("enable")
	}
	for _, line := range rig.Differences(wired, rig.Wiring(t)) {
		t.Errorf("the machine differs: %s", line)
	}

	// There is no space for the report. The work is done, and the exit status tells the agent.
	rig.Must(t, "mount", "-t", "tmpfs", "-o", "size=4k", "full", h.base+"/status")
	rig.Must(t, "sh", "-c", `! dd if=/dev/zero of="$0/status/filler" bs=4k 2>/dev/null`, h.base)
	out, status := h.run("enable")
	if status != 1 || !strings.Contains(out, "the status cannot be written to 3.status") ||
		!strings.Contains(out, "no space left on device") {
		t.Errorf("exit status %d, said %s", status, out)
	}
	rig.Must(t, "umount", h.base+"/status")

	for range 2 {
		h.must("uninstall")
	}
	h.must("disable") // nothing is there to be disabled, but the configuration
	h.must("uninstall")
	for _, line := range rig.Differences(bare, rig.Wiring(t)) {
		t.Errorf("uninstalled, the machine differs: %s", line)
	}
	if got := rig.FileText(t, rig.ConfigFile); got != text {
		t.Errorf("the configuration is %s", got)
	}
}
