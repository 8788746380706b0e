// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package packages proves the Debian package: it installs completely or changes nothing, upgrades
// keep what was edited, removal restores every file, nobody is locked out wherever dpkg is killed,
// builds are reproducible and hardened, and apt and dnf install what is published.
package packages
