// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// A workload is what programs do while the device is recorded.
type workload struct {
	name  string
	begin []string // imported before
	work  func(*testing.T, *promises)
	see   string
}

var workloads = []workload{
	{"many at once", []string{"set@" + tenant}, crowd, eachAccount},
	{"one after the other", nil, oneByOne, allInOne},
}

func start(t *testing.T) {
	t.Helper()
	if *wanted == 0 {
		t.Skip("it takes a quarter of an hour; run: make vm-power")
	}
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	startEntra(t)
	var names []string
	for round := range 3 {
		for i := range 6 {
			names = append(names, fmt.Sprintf("first%d.%d@%s", round, i, tenant))
		}
	}
	employ(t, append(append(names, hired()...), late)...)
}

// try records a workload and looks at n losses of power in it, until as many were wrong as are
// enough. What is wrong is returned.
func (f filesystem) try(t *testing.T, options string, w workload, n, enough int) (wrong []string) {
	t.Helper()
	began := time.Now()
	r := f.record(t, options, w)
	recorded := time.Now()
	l := &inspection{see: w.see, sealings: map[string]int{}, dir: t.TempDir()}
	looked := 0
	for _, c := range r.cuts(n, *seed) {
		if len(wrong) == enough {
			break
		}
		looked++
		problems, err := l.at(t, r, r.after(c), c)
		if err != nil {
			t.Errorf("%s -o %q, %v: %v", f.name, options, c, err)
		}
		if len(problems) > 0 {
			wrong = append(wrong, fmt.Sprintf("%v, with %d promises: %.3000q", c,
				r.told.reached(c.position), problems))
		}
	}
	t.Logf("%s -o %q, %s: %d promises, %d events in %v; %d cuts in %v, %d wrong; sealed %v", f.name,
		options, w.name,
		r.told.reached(endless), len(r.log.events), recorded.Sub(began).Round(time.Second),
		looked, time.Since(recorded).Round(time.Second), len(wrong), l.sealings)
	return wrong
}

// Each control is caught on each file system: otherwise the looks below would prove nothing.
func TestControls(t *testing.T) {
	start(t)
	for _, c := range controls {
		t.Run(c.name, func(t *testing.T) {
			c.install(t)
			for _, fs := range chosen() {
				wrong := fs.try(t, fs.options[0], workloads[0], *wanted, 3)
				if len(wrong) == 0 {
					t.Errorf("%s: not caught in %d losses of power", fs.name, *wanted)
					continue
				}
				t.Logf("caught: %s", wrong[0])
			}
		})
	}
}

func TestStore(t *testing.T) {
	start(t)
	for _, fs := range chosen() {
		t.Run(fs.name, func(t *testing.T) {
			// each has its share of the cuts
			recordings := len(filesystems[0].options) * len(workloads)
			for _, w := range workloads {
				for _, options := range fs.options {
					for _, wrong := range fs.try(t, options, w, (*wanted+recordings-1)/recordings,
						endless) {
						t.Error(wrong)
					}
				}
			}
		})
	}
}
