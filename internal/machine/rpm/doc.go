// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package rpm proves the rpm on the PAM stacks of Red Hat, SUSE and Azure Linux, with and without
// authselect, with this machine's rpm: what it wires, what it refuses, and that nobody is locked
// out wherever it is killed. Most of it runs only by "make rpm".
package rpm
