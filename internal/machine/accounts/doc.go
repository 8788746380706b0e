// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package accounts proves the name service and the store. Names resolve without Entra ID, through
// nscd, unscd and beside sssd. Only programs that may ask get an answer for a new name. A change
// that is killed or finds no space leaves the old store or the new one, and the store stays sealed.
package accounts
