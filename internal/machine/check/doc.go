// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package check proves aadctl check. Each fault that it knows is found on a real machine, the
// sentence names the command that mends it, and that command mends it. It reads sshd's rules as
// sshd does.
package check
