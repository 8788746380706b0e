// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package machine is the throw-away machine, and the tests that run on it: the product installed from its package, signed
// in to with the real ssh, sshd, sudo, su, login and getent, against the emulator.
//
//	throwaway                runs a command on an overlay of this machine, and checks that nothing of it stays
//	install-packages         what Debian has to bring
//	install-product          builds and installs the package as an administrator would
//	install-oidc-provider    an OAuth server of another maker, to sign in with
//	offline                  all of these, and then a command in a network of nothing but loopback
//	demo, test, bench, fuzz  what "make" runs there
//	cloud-init               the user data for cloud-init, by cloud-init itself
//	selinux                  what the SELinux module allows, linked with Debian's policy
//	vm, vm-root, vm-image    a machine with a kernel of its own, to see what SELinux and AppArmor deny
//	matrix                   boots each Debian release, and goes through the life of the package on it
//	clients                  SSH clients and libraries, of which "make test" has the ways of OpenSSH's own
//	crowd                    workers of a host of fifty threads, with the glibc of each Debian release
//	rpm                      all tests of the rpm, of which "make test" has the quick ones
//	pictures                 takes the pictures of README.md, for "make pictures"
//	check                    gofmt, vet, staticcheck, mandoc, shellcheck
//
// There is no Go code here but tests. They act as root on the machine they run on, so they refuse any but a throw-away one.
//
// golang.org/x/sys opens the terminals that ssh and login insist on. Chromium is driven by WebDriver over net/http
// (chromium_test.go).
package machine
