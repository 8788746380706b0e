// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package signin proves a sign-in over ssh, sshd, login and aadctl login, from the prompt to the
// session: each ending and the sentence that a person reads, with each source of authorization,
// each cloud and each kind of outage; that a place in the waiting room is given back however a
// connection ends; that a flood of strangers keeps nobody out; and that local users are left alone.
package signin
