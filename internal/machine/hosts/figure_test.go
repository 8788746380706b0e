// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package hosts

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aadlogin/internal/machine/rig"
)

// The figure is the time that a local user takes to get in while strangers knock: with the package
// and strangers of our domain, and without the package and strangers of an unknown local name.
const (
	turns    = 2
	tries    = 30
	knockers = 10

	// A knocker knocks at this pace, however soon the answer comes. The pace is slower than a
	// refusal (pam_unix delays a stranger by two seconds, plus or minus a quarter), so that there
	// are as many knocks with the package as without. Only the cost of a knock is compared. Without
	// a pace, strangers who are refused sooner would knock more often.
	pace = 3 * time.Second
)

// figure measures in turns, so that other load of the machine affects both. In services that show
// no code, no worker starts.
func figure(t *testing.T, p program) (absent, installed []time.Duration) {
	without := func(t *testing.T) {
		rig.Must(t, "dpkg", "--remove", "aad-login")
		t.Cleanup(func() {
			rig.Must(t, "dpkg", "--install", "--force-confold", rig.DebianPackage(t))
		})
		absent = append(absent, times(t, p, "stranger%d")...)
	}
	with := func(t *testing.T) {
		started := workersStarted(t)
		installed = append(installed, times(t, p, "stranger%d@contoso.example")...)
		if n := started(); p.shows == nil && n != 0 {
			t.Errorf("%d workers started", n)
		}
	}
	for turn := range turns {
		if turn%2 == 0 {
			t.Run("without the package", without)
			t.Run("with strangers", with)
		} else {
			t.Run("with strangers", with)
			t.Run("without the package", without)
		}
	}
	slices.Sort(absent)
	slices.Sort(installed)
	return absent, installed
}

// times returns how long a local user takes to get in while knockers knock.
func times(t *testing.T, p program, names string) (all []time.Duration) {
	t.Helper()
	var knocking sync.WaitGroup
	// This runs after the program has been ended, because some knockers still wait for its answer.
	t.Cleanup(knocking.Wait)
	if p.start != nil {
		p.start(t)
	}
	defer knock(t, p, names, &knocking)()
	for range tries / turns {
		began := time.Now()
		if in, err := p.try(t, "local", rig.LocalPassword); !in {
			t.Errorf("a local user is kept out beside %d others: %v", knockers, err)
			return nil
		}
		all = append(all, time.Since(began))
	}
	return all
}

// knock lets strangers knock until it is stopped, each at least once. Their results are not looked
// at here.
func knock(t *testing.T, p program, names string, knocking *sync.WaitGroup) (stop func()) {
	t.Helper()
	var begun sync.WaitGroup
	var knocks atomic.Int64
	end := make(chan struct{})
	for i := range knockers {
		begun.Add(1)
		knocking.Go(func() {
			time.Sleep(pace / knockers * time.Duration(i)) // not all at once
			begun.Done()
			again := time.NewTicker(pace)
			defer again.Stop()
			for {
				knocks.Add(1)
				p.try(t, fmt.Sprintf(names, i), "a password")
				select {
				case <-end:
					return
				case <-again.C:
				}
			}
		})
	}
	begun.Wait()
	return func() {
		close(end)
		t.Logf("%d knocks", knocks.Load())
	}
}
