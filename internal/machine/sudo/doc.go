// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package sudo proves that sudo of our accounts asks Azure again, that the person at the terminal
// cannot touch the worker that runs as root, that a shortage which they bring about stands in for
// no answer of Azure's, and that the reuse window serves exactly the connections it is for.
package sudo
