// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package rig

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Main is the TestMain of every package that tests this machine: it starts the log, the emulator
// and sshd, runs the tests, and returns their exit status.
func Main(m *testing.M) int {
	if !OnThrowaway() {
		return 0
	}
	Syslog.start()
	// On this machine aadctl check finds nothing wrong. By default, login gives a person only 60 s.
	sed := exec.Command("sed", "-i", "s/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 300/", "/etc/login.defs")
	if out, err := sed.CombinedOutput(); err != nil {
		fmt.Printf("%v: %s", err, out)
		return 1
	}
	if err := StartEntra(); err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { Entra.Close() }() // a test may have started another
	sshd, err := StartSSHD(SSHPort)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer sshd.Process.Kill()
	defer stopChromium()
	return m.Run()
}

// OnThrowaway reports whether this machine is a throw-away one, and prints a message if not.
func OnThrowaway() bool {
	if os.Getenv("THROWAWAY_MACHINE") != "" {
		return true
	}
	fmt.Println("skipped: these tests act as root on a throw-away machine; run: make test")
	return false
}
