// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package signin proves a sign-in over ssh, sshd, login and aadctl login, from the prompt to the
// session. It covers each ending and its sentence, with each source of authorization, each cloud
// and each kind of outage. A place in the waiting room is given back however a connection ends, a
// flood of strangers keeps nobody out, and local users are not affected.
package signin
