// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package foreign handles what other machines send, before anything believes it or shows it:
//
//   - [Decode] reads JSON in which no member can hide another.
//   - [Page] recognises a proxy or portal that answers in the place of a service.
//   - [Quiet] gives an error of net/http a text that quotes nothing the server sent.
//   - [Clip] bounds a text. Callers quote what it returns, so that it stays on one line.
package foreign

import "strings"

// maxText is the length that Clip bounds a text to. A refusal of Resource Manager names an action
// and a scope, in a sentence of about 500 characters, and the scope is what tells a slip.
const maxText = 600

// Clip keeps a server from filling the log with one value.
func Clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}
