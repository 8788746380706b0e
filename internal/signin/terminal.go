// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"cmp"

	"aadlogin/internal/config"
	"aadlogin/internal/pasted"
)

// A terminal is what a program accepts as an answer. Measured: OpenSSH's client reads 1,023 bytes
// and drops the rest without a word. sudo fails for 512, and throws away what was typed ahead
// unless it echoes. su, login and aadctl take what the terminal gives, 4,095.
type terminal struct {
	size  int  // characters of one answer
	echo  bool // what is pasted shows
	lines bool // several lines in one paste answer several questions
}

// terminal goes by the program, whatever its PAM service is called.
func (a *attempt) terminal() terminal {
	switch {
	case a.inSSHD():
		return terminal{size: 1000}
	case a.Program == "sudo", a.Program == "sudo-rs":
		return terminal{size: 480, echo: true, lines: true}
	case a.Program == "su", a.Program == "login", a.Program == "aadctl":
		return terminal{size: 4000}
	default:
		return terminal{size: 480}
	}
}

// pastedAttempt says what the sign-in page is to show, and in which pieces it is to give its
// answer.
func (a *attempt) pastedAttempt() pasted.Attempt {
	kind, t := pasted.Token, a.terminal()
	if a.cfg.SignIn.Answer == config.CodeAnswer {
		kind = pasted.Code
	}
	return pasted.Attempt{
		Page: a.cfg.SignIn.Page, Account: a.name.UPN, Machine: clean(hostname(), 64),
		Origin:  cmp.Or(clean(a.RemoteHost, 64), "local"),
		Service: clean(a.Service, 32), Kind: kind, Size: t.size, Lines: t.lines,
	}
}
