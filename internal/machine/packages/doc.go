// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package packages proves the Debian package. It installs completely or changes nothing, upgrades
// keep edits, removal restores every file, and nobody is locked out wherever dpkg is killed. Builds
// are reproducible and hardened, and apt and dnf install what is published.
package packages
