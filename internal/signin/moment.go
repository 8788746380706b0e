// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aadlogin/internal/account"
)

// A moment is a point in time on two clocks, as the grant keeps it.
type moment account.Moment

func (a *attempt) moment() moment {
	boot, up := a.Uptime()
	return moment{a.Now(), boot, up}
}

// uptime reads the clock that nobody can step. It runs while the machine sleeps (CLOCK_BOOTTIME),
// and a reboot ends it.
func uptime() (boot string, up time.Duration) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	var t unix.Timespec
	if err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) != nil {
		return "", 0
	}
	return strings.TrimSpace(string(text)), time.Duration(t.Nano())
}

// within reports whether m was at most d before now, by each clock that can tell. The wall clock
// can be stepped, by hand or by a forged answer of a time server. The other clock stands still in a
// snapshot of the machine, and knows nothing of another boot.
func (m moment) within(d time.Duration, now moment) bool {
	sameBoot := m.Boot != "" && m.Boot == now.Boot
	if sameBoot && (m.Up > now.Up || now.Up-m.Up > d) {
		return false
	}
	return current(m.Time, now.Time, d)
}

// current reports whether then is at most lifetime ago. A time in the future is not current: a
// clock was stepped, and nobody knows how old it is.
func current(then, now time.Time, lifetime time.Duration) bool {
	return !then.After(now) && now.Sub(then) <= lifetime
}
