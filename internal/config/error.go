// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package config

import "fmt"

// Error says what is wrong with a configuration file, in words for the administrator: where, what,
// and what to do about it.
type Error struct {
	File    string
	Line    int    // 0 when the file as a whole, or a missing key, is meant
	Key     string // as written with dots, such as sign_in.timeout; may be empty
	Problem string // what is wrong: "5s is too short"
	Fix     string // what to do: "use a duration from 10s to 15m0s"
	Err     error  // the cause when it was the system, for errors.Is; may be nil
}

// Error is one line: FILE:LINE: KEY: PROBLEM; FIX.
func (e *Error) Error() string {
	s := e.What()
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

// What returns the error without the advice, for programs that print the advice apart.
func (e *Error) What() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	return s + ": " + e.Problem
}

func (e *Error) Unwrap() error { return e.Err }

// problem is the result of a check of one value, which does not know where the value stood.
type problem struct{ what, fix string }

func wrong(what, fix string) *problem { return &problem{what, fix} }

func (p *problem) at(key string, line int) *Error {
	return &Error{Key: key, Line: line, Problem: p.what, Fix: p.fix}
}

// quote shows a value from the file on one line of bounded length: the text goes to logs and
// terminals.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
