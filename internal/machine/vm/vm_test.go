// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package vm

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// vmDirectory has the disk, kernel and initrd of a machine to boot, which has a processor called
// vmArch; both are empty elsewhere.
func vmDirectory() string { return os.Getenv("VM_DIRECTORY") }
func vmArch() string      { return os.Getenv("VM_ARCH") }

// TestVM boots a machine with a kernel of its own, twice with the same disk: with AppArmor and a
// clock that has lost its battery, where the package is installed and people sign in; and then with
// SELinux, as somebody does who switches that on. What is to be seen there, tests see that run
// inside.
func TestVM(t *testing.T) {
	needVM(t, "amd64")
	m := bootVM(t, "-append", appended+" security=apparmor apparmor=1", "-rtc", "base=2001-01-01")
	m.inside(t, "apparmor", "TestProfiled")
	// What an autorelabel does before it boots again. It says that it could not label what is
	// immutable.
	m.run(t, "setfiles -F /etc/selinux/default/contexts/files/file_contexts / 2>&1 | tail -n 5")
	m.offAtPrompts(t)
	m = bootVM(t, "-append", appended+" security=selinux selinux=1 enforcing=1")
	m.inside(t, "selinux", "TestEnforcing")
	m.off(t)
}

// TestVMOfARM is the same of a machine with the other processor, which has what its kernel has: no
// policy is enforced there.
func TestVMOfARM(t *testing.T) {
	needVM(t, "arm64")
	m := bootVM(t, "-append", appended)
	m.inside(t, "arm64", "TestOnARM")
	m.offAtPrompts(t)
}

func needVM(t *testing.T, arch string) {
	t.Helper()
	if vmDirectory() == "" || vmArch() != arch {
		t.Skip("it takes a machine to boot; run: make vm, or make vm-arm64")
	}
}

const appended = "root=/dev/vda console=ttyS0 console=ttyAMA0 loglevel=5 systemd.show_status=1"

var emulators = map[string][]string{
	"amd64": {"qemu-system-x86_64", "-m", "1024"},
	"arm64": {"qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72", "-m", "1024"},
}

// vm is an emulated machine, with root at its console.
type vm struct{ *rig.Console }

// maxBoots is how often a machine is switched on. Now and then an emulated kernel panics in the
// first seconds, while it patches itself and its other processor runs. It has not written anything
// by then.
const maxBoots = 3

func bootVM(t *testing.T, more ...string) vm {
	t.Helper()
	args := append(emulators[vmArch()], "-accel", "tcg,thread=multi", "-smp", "2", "-nodefaults",
		"-no-reboot", "-display", "none",
		"-nic", "none", "-serial", "stdio", "-device", "virtio-rng-pci",
		"-kernel", vmDirectory()+"/vmlinuz",
		"-initrd", vmDirectory()+"/initrd", "-drive", "file="+vmDirectory()+
			"/disk,format=raw,if=virtio")
	args = append(args, more...)
	for boot := 1; ; boot++ {
		t.Log("booting: about a minute")
		began := time.Now()
		m := vm{rig.NewConsole(t, args[0], args[1:]...)}
		_, err := m.Until(`vm# `)
		if err == nil {
			t.Logf("booted with %q after %v", more, time.Since(began).Round(time.Second))
			return m
		}
		said := m.All()
		if boot == maxBoots || !strings.Contains(err.Error(), "Kernel panic") ||
			strings.Contains(said, "Mounting root file system") {
			t.Fatalf("%v; it said:\n%s", err, rig.TailOf(said, 4000))
		}
		t.Logf("boot %d: %v", boot, err)
		m.Cmd.Process.Kill()
		<-m.Done
	}
}

// run has root type a command, and returns what it says and its exit status. The shell does not
// echo, and the mark is not what is typed.
func (m vm) run(t *testing.T, command string) (said, status string) {
	t.Helper()
	began := time.Now()
	m.TypeLine(command + `; echo "==""= $?"`)
	groups := m.Must(t, `=== (\d+)\n`)
	t.Logf("%v: %s: exit status %s\n%s", time.Since(began).Round(time.Second),
		command, groups[2], groups[1])
	return groups[1], groups[2]
}

// inside runs a test of this package on the machine, whose clock may be wrong: it is told the time.
func (m vm) inside(t *testing.T, which, test string) {
	t.Helper()
	t.Logf("%s runs on the machine: some minutes", test)
	said, status := m.run(t, guestTest(which, test))
	if status != "0" || !strings.Contains(said, "--- PASS: "+test+" ") {
		t.Fatalf("%s failed on the machine", test)
	}
}

func guestTest(which, test string) string {
	return fmt.Sprintf("cd /opt/vm && THROWAWAY_MACHINE=1 VM_GUEST=%s VM_NOW=%d ./vm.test "+
		"-test.v -test.timeout 60m -test.run '^%s$'",
		which, time.Now().Unix(), test)
}

// off waits for the end of the emulator, which writes to the disk until then.
func (m vm) off(t *testing.T) {
	t.Helper()
	m.TypeLine("poweroff")
	m.goesOff(t, `no machine says this`)
}

// offAtPrompts does so while people are asked for a code. On this machine systemd would wait an
// hour for what does not end by itself (image), and the console takes that for what it is.
func (m vm) offAtPrompts(t *testing.T) {
	t.Helper()
	t.Log("TestAtPrompts runs on the machine: some minutes")
	began := time.Now()
	m.TypeLine(guestTest("prompts", "TestAtPrompts"))
	m.goesOff(t, `--- FAIL`)
	t.Logf("people at prompts: off after %v", time.Since(began).Round(time.Second))
}

func (m vm) goesOff(t *testing.T, unless string) {
	t.Helper()
	if _, err := m.Until(unless); !m.Ended() {
		t.Fatalf("poweroff: %v; it said:\n%s", err, rig.TailOf(m.All(), 4000))
	}
}
