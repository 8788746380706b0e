// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"fmt"
	"time"
)

const (
	graceMargin = 10 * time.Second // by which LoginGraceTime is longer than sign_in.timeout, at least: 20 s as packaged
	leastTime   = time.Minute      // in which a browser and a second factor can be done with
)

// timeLeft returns how long the person may take. sshd counts LoginGraceTime from the beginning of
// the connection, and then hangs up without a word. So a second code, after a mistake in the
// browser, has only the time that the first has left.
func (a *attempt) timeLeft() (time.Duration, error) {
	all := a.cfg.SignIn.Timeout
	left := min(all, all+graceMargin-a.Connected)
	if left < all && left < leastTime {
		return 0, a.noTimeLeft()
	}
	a.left = left
	return left, nil
}

func (a *attempt) noTimeLeft() error {
	return a.refuse(Unreachable,
		"There is no time left on this connection for another attempt. Connect again.",
		"no-time-left")
}

// before returns what stands above everything else in a prompt: how the last attempt on this
// connection ended, for people who see only prompts, and how long this one may take, if that is
// less than usual.
func (a *attempt) before() (text string) {
	if a.Said != "" {
		text = a.Said + " \n"
	}
	if a.left < a.cfg.SignIn.Timeout {
		text += fmt.Sprintf("This connection ends in %d seconds. \n", int(a.left.Seconds()))
	}
	return text
}
