// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package shell spells command lines that people paste. The names of accounts may have apostrophes
// and other characters in them that mean something to a shell.
package shell

import "strings"

// Word returns what a POSIX shell takes for this one word: the word itself, in quotes where the
// shell would not take it as it is.
func Word(word string) string {
	if word != "" &&
		strings.Trim(word,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
