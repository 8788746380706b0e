// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aadlogin/internal/emulator"
)

var share = flag.Int("fleet", 0,
	"simulate the large fleet: one in so many of its machines, against limits as much smaller")

func divided(b emulator.Bucket, by int) emulator.Bucket {
	return emulator.Bucket{Size: b.Size / float64(by), Refill: b.Refill / float64(by)}
}

// one returns a scenario with one in so many people and machines. The limits of a subscription
// shrink with its machines, and those of a machine stay.
func (s scenario) one(in int) scenario {
	before := s.change
	s.machines, s.browsers, s.keys = max(1, s.machines/in), s.browsers/in, s.keys/in
	s.change = func(d *emulator.Directory) {
		if before != nil {
			before(d)
		}
		l := &d.Limits
		l.AllReads, l.AllWrites, l.SignIns = divided(l.AllReads, in),
			divided(l.AllWrites, in), divided(l.SignIns, in)
		if !d.Identities[0].SystemAssigned { // a single principal for all of them
			l.Reads, l.Writes = divided(l.Reads, in), divided(l.Writes, in)
		}
	}
	return s
}

// nine returns the nine o'clock of docs/performance.md.
func nine(name string, change func(*scenario)) scenario {
	s := scenario{name: name, machines: 10_000, browsers: 2_500, keys: 2_500,
		arrive: 10 * time.Minute, cron: time.Second}
	if change != nil {
		change(&s)
	}
	return s
}

var large = []scenario{
	nine("check-access", nil),
	nine("… grant_lifetime = 8h",
		func(s *scenario) { s.lines = `authorization.grant_lifetime = "8h"` }),
	nine("… if sign-ins shared the token", func(s *scenario) { s.shares = true }),
	nine("… one identity for all machines", func(s *scenario) {
		s.change = func(d *emulator.Directory) { d.Identities[0].SystemAssigned = false }
	}),
	nine("… four subscriptions", func(s *scenario) { s.subscriptions = 4 }),
	nine("… cron over five minutes", func(s *scenario) { s.cron = 5 * time.Minute }),
	nine("… no cron, people within a minute", func(s *scenario) {
		s.cron, s.arrive = 0, time.Minute
	}),
	nine("role-assignments",
		func(s *scenario) { s.lines = `authorization.source = "role-assignments"` }),
	nine("… no cron, people within a minute", func(s *scenario) {
		s.cron, s.arrive, s.lines = 0, time.Minute, `authorization.source = "role-assignments"`
	}),
	nine("permissions", func(s *scenario) { s.lines = `authorization.source = "permissions"` }),
	nine("… grant_lifetime = 8h", func(s *scenario) {
		s.lines = "authorization.source = \"permissions\"\nauthorization.grant_lifetime = \"8h\""
	}),
	nine("Resource Manager down", func(s *scenario) { s.outage = true }),
	nine("… grant_lifetime = 8h", func(s *scenario) {
		s.outage, s.lines = true, `authorization.grant_lifetime = "8h"`
	}),
	nine("Entra ID takes 200 requests a second", func(s *scenario) {
		s.cron, s.arrive = 0, time.Minute
		s.change = func(d *emulator.Directory) {
			d.Limits.SignIns = emulator.Bucket{Size: 200, Refill: 200}
		}
	}),
}

// host is a single machine for everybody.
var host = []scenario{
	{name: "one machine, 100 keys within a minute", machines: 1, keys: 100, arrive: time.Minute},
	{name: "one machine, 100 keys within a second", machines: 1, keys: 100, arrive: time.Second},
	{name: "one machine, 300 keys within a second", machines: 1, keys: 300, arrive: time.Second},
	{name: "… that shared the token", machines: 1, keys: 300, arrive: time.Second, shares: true},
}

// TestFleet prints the figures of docs/performance.md.
func TestFleet(t *testing.T) {
	if *share == 0 {
		t.Skip("make fleet")
	}
	all := append(slices.Clone(large), host...)
	results := make([]*result, len(all))
	t.Run("nine", func(t *testing.T) {
		for i, s := range all {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				if i < len(large) {
					s = s.one(*share)
				}
				results[i] = s.run(t)
			})
		}
	})
	var table strings.Builder
	for i, r := range results {
		if r == nil {
			continue // -run has excluded it
		}
		in := 1
		if i < len(large) {
			in = *share
		}
		t.Logf("%s, one in %d\n%v", all[i].name, in, r)
		table.WriteString(r.row(all[i].name, in))
	}
	fmt.Print(table.String())
}

// These small fleets are exact to the last request. The numbers depend only on the sources of the
// product and of the emulator.
func TestSmall(t *testing.T) {
	small := scenario{machines: 60, browsers: 8, keys: 8, arrive: time.Minute, cron: time.Second,
		change: func(d *emulator.Directory) {
			d.Limits.AllWrites = emulator.Bucket{Size: 20, Refill: 1}
		}}
	down := small
	down.outage, down.lines = true, `authorization.grant_lifetime = "8h"`
	for name, test := range map[string]struct {
		scenario
		calls, throttled, outcomes map[string]int
	}{
		"check-access": {small,
			map[string]int{"Entra ID": 80, "Entra ID, documents": 16,
				"Resource Manager": 117, "metadata": 144},
			map[string]int{"Resource Manager": 81},
			map[string]int{"browser: signed-in": 8, "key: authorized": 8, "cron: authorized": 20,
				"cron: failed unreachable": 40}},
		"Resource Manager down": {down,
			map[string]int{"Entra ID": 80, "Entra ID, documents": 16, "Resource Manager": 3 * 76,
				"metadata": 144},
			map[string]int{},
			map[string]int{"browser: failed unreachable": 8, "key: authorized last-grant": 8,
				"cron: authorized last-grant": 60}},
		"one machine": {scenario{machines: 1, keys: 60, arrive: time.Second},
			map[string]int{"Resource Manager": 60, "metadata": 1 + 60 + 43},
			map[string]int{"metadata": 43},
			map[string]int{"key: authorized": 60}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := test.run(t)
			if !maps.Equal(r.calls, test.calls) || !maps.Equal(r.throttled, test.throttled) ||
				!maps.Equal(r.outcomes, test.outcomes) {
				t.Errorf("%v\n%v\n%v\n%v", r.calls, r.throttled, r.outcomes, r)
			}
		})
	}
}
