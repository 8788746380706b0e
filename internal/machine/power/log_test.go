// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"fmt"
	"math/rand/v2"
	"sync"
)

// A log is what a device was told, in the order in which it confirmed it. Between two commands of
// the device there are marks: what a program outside had begun, or been told was done.
type log struct {
	mu     sync.Mutex
	events []event
}

type event struct {
	kind kind
	at   int64
	data []byte
	mark string
}

type kind int

const (
	written kind = iota
	flushed
	marked
)

func (l *log) add(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
}

// mark returns the position of the mark: a cut at a later one happens after it.
func (l *log) mark(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event{kind: marked, mark: text})
	return len(l.events) - 1
}

func (l *log) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}

// A loss is what becomes of the writes that no flush has followed when the power goes.
type loss string

const (
	none    loss = "all so far"
	all     loss = "nothing after the last flush"
	some    loss = "some after the last flush" // as a device may that orders them anew
	torn    loss = "some, and one torn"        // of which there is only a beginning
	endless      = 1 << 30
)

var losses = []loss{none, all, some, torn}

// A cut is a loss of power after so many events.
type cut struct {
	position int
	loss     loss
	seed     uint64
}

func (c cut) String() string {
	return fmt.Sprintf("cut at event %d, %s, seed %d", c.position, c.loss, c.seed)
}

// survivors returns what a device with this log has after a cut, on top of what the last flush
// before it has made safe. Of two writes to one place, the later one stands if both have survived.
func (l *log) survivors(c cut, atomic func(event) bool) (safe int, kept []event) {
	for i := range c.position {
		if l.events[i].kind == flushed {
			safe = i + 1
		}
	}
	random := rand.New(rand.NewPCG(c.seed, uint64(c.position)))
	var loose []event
	for _, e := range l.events[safe:c.position] {
		if e.kind == written {
			loose = append(loose, e)
		}
	}
	tear := -1
	if c.loss == torn && len(loose) > 0 {
		tear = random.IntN(len(loose))
	}
	for i, e := range loose {
		switch {
		case i == tear && !atomic(e):
			e.data = e.data[:random.IntN(len(e.data)/sectorSize)*sectorSize]
		case c.loss == none:
		case c.loss == all, i != tear && random.IntN(2) == 0:
			continue
		}
		kept = append(kept, e)
	}
	return safe, kept
}
