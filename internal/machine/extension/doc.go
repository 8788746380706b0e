// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package extension proves the Azure VM extension and the VM application, run as Azure's agent runs
// them: install, enable, new settings, update, disable and removal, repeated, killed in between,
// with bad settings, and on a machine that has the package already.
package extension
