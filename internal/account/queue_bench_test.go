// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// filled returns a store of that many accounts.
func filled(t testing.TB, n int) Store {
	t.Helper()
	s := newStore(t)
	update(t, s, func(e *Edit) error {
		if err := e.SetRules(testRules()); err != nil {
			return err
		}
		for i := range n {
			if err := firstSignIn(e, fmt.Sprintf("user%d@contoso.com", i)); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

// firstSignIn makes the changes of a first sign-in.
func firstSignIn(e *Edit, name string) error {
	if err := e.SetRules(testRules()); err != nil {
		return err
	}
	first, err := e.NewAccount(Name{name, name})
	if err == nil {
		_, err = e.Bind(person(name), first.UID)
	}
	return err
}

// BenchmarkAddAccount measures a first sign-in on a machine with that many accounts.
func BenchmarkAddAccount(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := filled(b, n)
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				bind(b, s, testRules(), fmt.Sprintf("new%d@contoso.com", len(took)))
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(milliseconds(took[len(took)/2]), "ms-median")
			b.ReportMetric(milliseconds(took[len(took)-1]), "ms-worst")
		})
	}
}

// BenchmarkFirstSignIns measures 500 first sign-ins at once, each in a process of its own: the time
// until the last is done, and the same relative to a single one.
func BenchmarkFirstSignIns(b *testing.B) {
	const crowd = 500
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := filled(b, n)
			var singles, lasts []time.Duration
			for b.Loop() {
				round := len(lasts)
				singles = append(singles, crowdOf(b, s, fmt.Sprintf("single%d", round), 1))
				lasts = append(lasts, crowdOf(b, s, fmt.Sprintf("crowd%d", round), crowd))
			}
			slices.Sort(singles)
			slices.Sort(lasts)
			single, last := singles[len(singles)/2], lasts[len(lasts)/2]
			b.ReportMetric(milliseconds(single), "ms-single")
			b.ReportMetric(milliseconds(singles[len(singles)-1]), "ms-worst-single")
			b.ReportMetric(milliseconds(last), "ms-last-of-500")
			b.ReportMetric(float64(last)/float64(single), "last/single")
		})
	}
}

// crowdOf runs that many sign-ins at once, each in its own process, and returns when the last is
// done.
func crowdOf(b *testing.B, s Store, name string, n int) time.Duration {
	read, write, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	var all []*child
	for i := range n {
		c := childOf(b, s, fmt.Sprintf("%s.%d@contoso.com", name, i), childTimed+"=1",
			"GOMAXPROCS=1") // as in a worker
		c.starts(b, read)
		all = append(all, c)
	}
	read.Close()
	began := uptime()
	write.Close()
	last := began
	for _, c := range all {
		var end int64
		if _, err := fmt.Sscanf(c.says(), "stored %d", &end); err != nil {
			b.Fatalf("%s: %s", c.name, c.out.String())
		}
		last = max(last, end)
	}
	return time.Duration(last - began)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
