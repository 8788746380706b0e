// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"strings"
)

// startups compares sshd's limits on connections that have not authenticated with
// sign_in.max_waiting. A person who waits for a browser has such a connection. sshd's defaults are
// lower, which matters only where many people sign in at once.
func (h *Host) startups(set map[string][]string) []Finding {
	var begin, rate, full int
	limits := strings.Join(set["maxstartups"], " ")
	if n, _ := fmt.Sscanf(limits, "%d:%d:%d", &begin, &rate, &full); n != 3 {
		return nil
	}
	most, now := h.Config.SignIn.MaxWaiting, h.waiting()
	drops := fmt.Sprintf("sshd drops connections at random from %d on that have not "+
		"authenticated, and all from %d on (MaxStartups %s)", begin, full, limits)
	wrong := func(found string) []Finding {
		return []Finding{warning(found + drops).fix(reload).
			run(before(fmt.Sprintf("MaxStartups %d:30:%d", most, 2*most)))}
	}
	switch {
	case most > full:
		return wrong(fmt.Sprintf("sign_in.max_waiting lets %d people wait for a browser, but ",
			most))
	case now >= begin:
		return wrong(fmt.Sprintf("%d people wait for a browser now, and ", now))
	}
	return []Finding{ok("%d people may wait for a browser at once (sign_in.max_waiting); %s", most,
		drops)}
}

// waiting returns how many sign-ins over the network hold a slot. A slot that is held contains a
// name (internal/signin/waiting.go).
func (h *Host) waiting() (n int) {
	for _, slot := range h.glob("var/cache/aad-login/waiting/remote/slot-*") {
		if who, _ := h.read(slot); who != "" {
			n++
		}
	}
	return n
}
