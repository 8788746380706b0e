// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import "errors"

// Exit codes; the package comment says where they come from.
const (
	exitOK          = 0
	exitFailed      = 1
	exitSettings    = 22
	exitConflict    = 23
	exitUnsupported = 51
	exitMissing     = 52
)

// A failure is a sentence for the person at the portal, what to do about it, and an exit code.
type failure struct {
	code      int
	what, fix string
}

func (f *failure) Error() string {
	if f.fix == "" {
		return f.what
	}
	return f.what + " " + f.fix
}

func exitCode(err error) int {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f.code
	}
	return exitFailed
}
