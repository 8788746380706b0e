// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package releases proves the life of the package on other machines: on each Debian release, booted
// (make matrix), with the programs that ask PAM only where systemd runs (make hosts), on arm64 by
// emulation, and through the Ansible role (make ansible). Its tests are skipped unless the root of
// a release is named.
package releases
