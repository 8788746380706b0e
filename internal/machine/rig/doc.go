// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package rig is what the tests of the machine are built on: the machine itself (sshd, files,
// packages, local people), a person at a terminal, a browser, the emulator, and the log.
//
// It acts as root on the machine it runs on, so Main refuses any but a throw-away one. What is
// changed for the length of a test is put back by the test's clean-up. Entra is the one stand-in;
// the programs are real.
//
// golang.org/x/sys opens the terminals that ssh and login insist on. Chromium is driven by
// WebDriver over net/http.
package rig
