// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package guid recognises the identifiers of Entra ID and Azure.
package guid

import "strings"

// Consumers is the tenant of personal Microsoft accounts. Anybody can open an account there and
// give it any name, so being in that tenant proves nothing.
const Consumers = "9188040d-6c67-4c5b-b112-36a304b66dad"

// Is reports whether s is a GUID in its canonical form, of any case.
func Is(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	return strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}
