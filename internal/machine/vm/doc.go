// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package vm proves what the kernel enforces: on a booted Debian with SELinux enforcing and with
// every AppArmor profile enforced (make vm), sign-ins, sudo and cron work, and nothing is denied
// that we need. The rules of the SELinux module are listed in testdata, each with its use or its
// reason.
package vm
