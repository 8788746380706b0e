// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package machine

import (
	"flag"
	"strings"
	"testing"
	"time"
)

var vmDirectory = flag.String("vm", "", "directory with the disk, kernel and initrd of a machine to boot")

// TestVM boots a machine with a kernel of its own, twice with the same disk: with AppArmor, where the package is installed and people
// sign in, and then with SELinux, as somebody does who switches that on. What is to be seen there, tests see that run inside.
func TestVM(t *testing.T) {
	if *vmDirectory == "" {
		t.Skip("it takes a machine to boot; run: make vm")
	}
	m := bootVM(t, "security=apparmor apparmor=1")
	m.inside(t, "apparmor", "TestProfiled")
	// What an autorelabel does before it boots again. It says that it could not label what is immutable.
	m.run(t, "setfiles -F /etc/selinux/default/contexts/files/file_contexts / 2>&1 | tail -n 5")
	m.off(t)
	m = bootVM(t, "security=selinux selinux=1 enforcing=1")
	m.inside(t, "selinux", "TestEnforcing")
	m.off(t)
}

// vm is an emulated machine, with root at its console.
type vm struct{ *console }

func bootVM(t *testing.T, how string) vm {
	t.Helper()
	began := time.Now()
	m := vm{newConsole(t, "nice", "-n", "10", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024", "-nodefaults",
		"-no-reboot", "-display", "none", "-nic", "none", "-serial", "stdio", "-device", "virtio-rng-pci",
		"-kernel", *vmDirectory+"/vmlinuz", "-initrd", *vmDirectory+"/initrd", "-drive", "file="+*vmDirectory+"/disk,format=raw,if=virtio",
		"-append", "root=/dev/vda console=ttyS0 quiet loglevel=4 systemd.show_status=1 "+how)}
	m.must(t, `vm# `)
	t.Logf("booted with %s after %v", how, time.Since(began).Round(time.Second))
	return m
}

// run has root type a command, and returns what it says and its exit status. The shell does not echo, and the mark is not what is typed.
func (m vm) run(t *testing.T, command string) (said, status string) {
	t.Helper()
	began := time.Now()
	m.typeLine(command + `; echo "==""= $?"`)
	groups := m.must(t, `=== (\d+)\n`)
	t.Logf("%v: %s: exit status %s\n%s", time.Since(began).Round(time.Second), command, groups[2], groups[1])
	return groups[1], groups[2]
}

// inside runs a test of this package on the machine.
func (m vm) inside(t *testing.T, which, test string) {
	t.Helper()
	said, status := m.run(t, "cd /opt/vm && THROWAWAY_MACHINE=1 VM_GUEST="+which+" ./machine.test -test.v -test.timeout 60m -test.run '^"+test+"$'")
	if status != "0" || !strings.Contains(said, "--- PASS: "+test+" ") {
		t.Errorf("%s failed on the machine", test)
	}
}

// off waits for the end of the emulator, which writes to the disk until then.
func (m vm) off(t *testing.T) {
	t.Helper()
	m.typeLine("poweroff")
	if _, err := m.until(`no machine says this`); !m.ended() {
		t.Fatalf("poweroff: %v", err)
	}
}
