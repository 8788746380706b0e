// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package machine has no code: it is the place of the throw-away machine and of the tests that run
// on it, with the product installed from its package and signed in to with the real ssh, sshd,
// sudo, su, login and getent, against the emulator.
//
// The machine:
//
//	throwaway                runs a command on an overlay of this machine, and checks that
//	                         nothing of it stays
//	install-packages         installs what Debian has to bring
//	install-product          builds and installs the package as an administrator would
//	install-oidc-provider    installs an OAuth server of another maker, to sign in with
//	offline                  does all of these, and then runs a command in a network of nothing
//	                         but loopback
//	own-machine              gives the tests of one package a machine of their own
//	progress                 prints one line for each package whose tests have ended, and what
//	                         runs now
//	loglines                 prints the lines of the log, for the demonstration
//
// What is proven, a package for each subject; its doc.go says more:
//
//	signin     a sign-in from the prompt to the session, and what refuses it
//	logs       one line of the log for each attempt, and no secret in any
//	sudo       sudo of ours and by ours, and the window in which one sign-in serves several
//	           connections
//	hosts      the programs that load the PAM module stay as they were
//	accounts   the names that this machine knows, and their store
//	check      aadctl check finds what is wrong, and its remedies mend it
//	docs       the pages' commands do what the pages say, with a stand-in for Azure's command line
//	packages   install, upgrade, remove and publish the Debian package
//	rpm        the same for the rpm, on stacks of Red Hat, SUSE and Azure Linux
//	releases   the life of the package on each Debian release, booted, and by Ansible
//	extension  the Azure VM extension and the VM application
//	browsers   the pages that a person sees in Chromium and Firefox
//	clients    SSH clients besides ssh
//	watching   the report, and what is shipped to watch sign-ins with
//	vm         a machine with a kernel of its own, where SELinux and AppArmor enforce
//	power      what is left when the power goes while the product writes
//	bench      the figures of a sign-in
//
// All of them are built on package rig: the machine, a person at a terminal, a browser, the
// emulator and the log. Tests alone import it, and only those here.
//
// What "make" runs here is in the folder make, each script under the name of its target. Scripts
// that one of them needs are beside the tests of their subject.
package machine
