// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"bytes"
	"slices"
	"testing"
)

// A recorded device with two writes, a flush, a mark, and three writes.
func recorded() *log {
	l := &log{}
	d := newDisk(4 * blockSize)
	d.log = l
	d.write(bytes.Repeat([]byte{1}, blockSize), 0)
	d.write(bytes.Repeat([]byte{2}, sectorSize), blockSize)
	d.flush()
	l.mark("done")
	d.write(bytes.Repeat([]byte{3}, 2*blockSize), 0)
	d.write(bytes.Repeat([]byte{4}, sectorSize), 3*blockSize)
	d.write(bytes.Repeat([]byte{5}, 2*sectorSize), blockSize)
	return l
}

// What a flush has followed is there after every cut; of the rest, what the kind of loss says.
func TestSurvivors(t *testing.T) {
	l := recorded()
	lengths := func(kept []event) (n []int) {
		for _, e := range kept {
			n = append(n, len(e.data))
		}
		return n
	}
	whole := []int{2 * blockSize, sectorSize, 2 * sectorSize}
	seen := map[string]bool{}
	for seed := range uint64(200) {
		for _, kind := range losses {
			safe, kept := l.survivors(cut{7, kind, seed}, nothing)
			got := lengths(kept)
			if safe != 3 {
				t.Fatalf("%s: %d events are safe, want 3", kind, safe)
			}
			switch {
			case kind == none && !slices.Equal(got, whole), kind == all && len(got) > 0:
				t.Fatalf("%s: %v", kind, got)
			case kind == some &&
				slices.ContainsFunc(got, func(n int) bool { return !slices.Contains(whole, n) }):
				t.Fatalf("%s: %v", kind, got)
			case kind == torn:
				for _, e := range kept {
					seen["torn"] = seen["torn"] || len(e.data)%blockSize != 0 &&
						len(e.data) > 2*sectorSize
				}
			case kind == some:
				seen["some"] = seen["some"] || len(got) > 0 && len(got) < 3
			}
		}
	}
	if !seen["torn"] || !seen["some"] {
		t.Errorf("of 200 losses, these have happened: %v", seen)
	}
	for position, want := range map[int]int{0: 0, 2: 0, 3: 3, 4: 3} {
		if safe, kept := l.survivors(cut{position, all, 1}, nothing); safe != want ||
			len(kept) != 0 {
			t.Errorf("cut at event %d: %d are safe, want %d; kept %v", position, safe, want, kept)
		}
	}
}

// Disks that share blocks do not change each other, and a write within a block leaves its rest.
func TestDisk(t *testing.T) {
	d := newDisk(2 * blockSize)
	d.write(bytes.Repeat([]byte{1}, blockSize), 0)
	copied := d.clone()
	copied.write([]byte{2, 2}, blockSize-1)
	want := append(bytes.Repeat([]byte{1}, blockSize-1), 2, 2, 0)
	got := make([]byte, blockSize+2)
	if copied.read(got, 0); !bytes.Equal(got, want) {
		t.Errorf("the copy has %v at its end, want %v", got[blockSize-2:], want[blockSize-2:])
	}
	if d.read(got[:blockSize], 0); got[blockSize-1] != 1 {
		t.Error("a write to a copy has changed the original")
	}
}

// What was promised must be there; what was on its way may be; what nobody made must not.
func TestPromises(t *testing.T) {
	p := newPromises(&log{}, state{"kept": "a", "gone": "b"})
	p.things["kept"] = append(p.things["kept"], promise{begun: 2, done: 5, value: "c"})
	p.things["gone"] = append(p.things["gone"], promise{begun: 2, done: 5})
	for _, test := range []struct {
		position int
		found    state
		broken   int
	}{
		{1, state{"kept": "a", "gone": "b"}, 0},
		{1, state{"kept": "c", "gone": "b"}, 1},
		{4, state{"kept": "a"}, 0},
		{4, state{"kept": "c", "gone": "b"}, 0},
		{5, state{"kept": "a", "gone": "b"}, 0}, // the mark itself came later
		{6, state{"kept": "a"}, 1},
		{6, state{"kept": "c", "gone": "b"}, 1},
		{6, state{"kept": ""}, 1},
		{6, state{"kept": "c", "other": "d"}, 1},
	} {
		if problems := p.broken(test.position, test.found); len(problems) != test.broken {
			t.Errorf("%+v: %q", test, problems)
		}
	}
}
