// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package check proves aadctl check: each fault that it knows is found on a real machine, the
// sentence names the command that mends it, and that command mends it; and its reading of sshd's
// rules is sshd's own.
package check
