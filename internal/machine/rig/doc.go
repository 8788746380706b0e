// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package rig is the base of the machine's tests: the machine itself (sshd, files, packages, local
// users), a person at a terminal, a browser, the emulator, and the log.
//
// It acts as root on the machine it runs on, so Main refuses any but a throw-away one. A change for
// the length of a test is reverted by the test's clean-up. Only Entra is a stand-in. The programs
// are real.
//
// golang.org/x/sys opens the terminals that ssh and login insist on. WebDriver over net/http
// controls Chromium.
package rig
