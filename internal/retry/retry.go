// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// Package retry holds what requests that are made again have in common: when a server is only
// overloaded, how long it asks to be left alone, and how to wait.
package retry

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// Overloaded reports whether a server with this HTTP status, or a proxy before it, has not judged
// the request at all, whatever else it says.
func Overloaded(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout ||
		status >= 500
}

// maxAfter bounds what After returns.
const maxAfter = 24 * time.Hour

// After returns how long the server asks to be left alone, 0 if it does not (RFC 9110, Section
// 10.2.3, in both of its forms).
func After(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if n, err := strconv.Atoi(value); err == nil {
		return max(0, time.Duration(min(n, int(maxAfter/time.Second)))*time.Second)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Sleep waits for d or for the end of ctx, whichever is first.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
