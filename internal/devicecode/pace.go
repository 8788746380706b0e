// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package devicecode

import "time"

// A pace says when the next poll is due. It counts from the end of the last answer, so that the
// server never sees a delayed request too soon before the next one.
type pace struct {
	interval time.Duration
	failures int // outages in a row
	next     time.Time
}

// newPace waits for the interval before the first poll, too.
func newPace(now time.Time, interval time.Duration) pace {
	return pace{interval: interval, next: now.Add(interval)}
}

func (p *pace) pending(now time.Time) {
	p.failures = 0
	p.next = now.Add(p.interval)
}

// slower follows RFC 8628, Section 3.5: "the interval MUST be increased by 5 seconds for this and
// all subsequent requests".
func (p *pace) slower(now time.Time) {
	p.interval += 5 * time.Second
	p.pending(now)
}

// outage doubles the interval for every outage in a row (RFC 8628, Section 3.5, on time-outs), up
// to half a minute: the person may be done by now.
func (p *pace) outage(now time.Time, retryAfter time.Duration) {
	const most = 30 * time.Second
	p.failures = min(p.failures+1, 8)
	wait := max(p.interval, min(p.interval<<p.failures, most))
	p.next = now.Add(max(wait, retryAfter))
}
