// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package signin

import (
	"math"
	"testing"
	"time"
)

func TestFresh(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, test := range []struct {
		name     string
		granted  time.Time
		lifetime time.Duration
		want     bool
	}{
		{"just now", now, time.Hour, true},
		{"within", now.Add(-59 * time.Minute), time.Hour, true},
		{"the last moment", now.Add(-time.Hour), time.Hour, true},
		{"past it", now.Add(-time.Hour - 1), time.Hour, false},
		{"from the future", now.Add(1), time.Hour, false},
		{"from the far future", now.Add(1000 * time.Hour), time.Hour, false},
		{"of the zero time", time.Time{}, 30 * 24 * time.Hour, false},
		{"older than a duration can say", time.Unix(math.MinInt64/2, 0), math.MaxInt64 - 1, false},
	} {
		if got := current(test.granted, now, test.lifetime); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// The window is an hour by both clocks: since 12:00, and since an hour after boot b.
func TestWithin(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(wall time.Duration, boot string, up time.Duration) moment {
		return moment{noon.Add(wall), boot, up}
	}
	then := at(0, "b", time.Hour)
	for _, test := range []struct {
		name string
		now  moment
		want bool
	}{
		{"59 minutes later", at(59*time.Minute, "b", 119*time.Minute), true},
		{"61 minutes later", at(61*time.Minute, "b", 121*time.Minute), false},
		{"stepped back meanwhile", at(31*time.Minute, "b", 121*time.Minute), false},
		{"stepped back before it was", at(-time.Minute, "b", 119*time.Minute), false},
		{"stepped forward", at(61*time.Minute, "b", 61*time.Minute), false},
		{"an hour's suspend, counted by both", at(90*time.Minute, "b", 150*time.Minute), false},
		{"a snapshot of then, resumed a day later", at(24*time.Hour, "b", 61*time.Minute), false},
		{"a snapshot of before", at(30*time.Minute, "b", 59*time.Minute), false},
		{"half an hour and a reboot later", at(30*time.Minute, "c", time.Minute), true},
		{"a day and a reboot later", at(24*time.Hour, "c", time.Minute), false},
		{"a reboot that has lost the clock", at(-20000*time.Hour, "c", time.Minute), false},
		{"no other clock", at(30*time.Minute, "", 0), true},
	} {
		if got := then.within(time.Hour, test.now); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if unmarked := at(0, "", 0); !unmarked.within(time.Hour, at(30*time.Minute, "", 0)) {
		t.Error("without the other clock, the wall clock alone must count")
	}
}
