// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package sudo proves that sudo of our accounts asks Azure again, that its user cannot touch the
// worker, which runs as root, and that a shortage which the user causes is no outage of Azure. It
// also proves that the reuse window serves exactly the connections that it is for.
package sudo
