// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// A recording is what a device was told while programs worked on it, and what they promised.
type recording struct {
	fs       filesystem
	options  string
	shelf    *shelf
	image    *disk // as of the events before applied
	applied  int
	log      *log
	told     *promises
	removing int // when the package began to be removed
}

// cuts returns n cuts by all kinds of loss, in the order of their positions.
func (r *recording) cuts(n int, seed uint64) []cut {
	random := rand.New(rand.NewPCG(seed, 0))
	all := make([]cut, n)
	for i := range all {
		all[i] = cut{1 + random.IntN(len(r.log.events)), losses[i%len(losses)], random.Uint64()}
	}
	slices.SortFunc(all, func(a, b cut) int { return cmp.Compare(a.position, b.position) })
	return all
}

// after returns the disk as it is after a cut. Positions must not go down.
func (r *recording) after(c cut) *disk {
	safe, kept := r.log.survivors(c, r.fs.atomic)
	for ; r.applied < safe; r.applied++ {
		if e := r.log.events[r.applied]; e.kind == written {
			r.image.write(e.data, e.at)
		}
	}
	d := r.image.clone()
	for _, e := range kept {
		d.write(e.data, e.at)
	}
	return d
}
