// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"context"
	"net/http"
	"testing"
	"time"
)

func TestAfter(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "-7": 0, "7.5": 0, "soon": 0, "7 ": 0,
		"86400": 24 * time.Hour, "99999999": 24 * time.Hour, "99999999999999999999": 0,
		"Wed, 04 Mar 2026 05:06:17 GMT": 10 * time.Second, "Wed, 04 Mar 2026 05:05:57 GMT": 0,
	} {
		h := http.Header{"Retry-After": {value}}
		if got := After(h, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	if got := After(http.Header{}, now); got != 0 {
		t.Errorf("without the header: %v", got)
	}
}

func TestOverloaded(t *testing.T) {
	for status, want := range map[int]bool{200: false, 400: false, 404: false, 408: true, 429: true,
		499: false, 500: true, 503: true, 599: true} {
		if got := Overloaded(status); got != want {
			t.Errorf("%d: %v", status, got)
		}
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Sleep(ctx, time.Hour); err != context.Canceled {
		t.Error(err)
	}
	if err := Sleep(t.Context(), 0); err != nil {
		t.Error(err)
	}
}
