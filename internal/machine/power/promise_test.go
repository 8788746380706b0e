// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package power

import (
	"fmt"
	"slices"
	"sync"
)

// Promises are what people were told: of each thing, the values that it got, in their order.
type promises struct {
	log *log

	mu     sync.Mutex
	things map[string][]promise
}

// A promise may hold once a program has begun, and must once it has said that it is done.
type promise struct {
	begun, done int // positions in the log
	value       string
}

// A state is everything that is promised about: by the name of the thing, what it is. What is not
// there is the empty string.
type state map[string]string

func newPromises(l *log, before state) *promises {
	p := &promises{log: l, things: map[string][]promise{}}
	for thing, value := range before {
		p.things[thing] = []promise{{begun: -1, done: -1, value: value}}
	}
	return p
}

// begin marks the beginning of a change, and returns what to call with its result when it is done.
func (p *promises) begin(what string) (done func(result func() state)) {
	begun := p.log.mark("begin " + what)
	return func(result func() state) {
		end := p.log.mark("done " + what)
		after := result()
		p.mu.Lock()
		defer p.mu.Unlock()
		for thing, value := range after {
			p.things[thing] = append(p.things[thing], promise{begun, end, value})
		}
	}
}

// broken returns what a machine that came back after a cut has not kept.
func (p *promises) broken(position int, found state) (problems []string) {
	for thing := range found {
		if _, known := p.things[thing]; !known {
			problems = append(problems, fmt.Sprintf("%s: is there, and nobody made it: %.300q",
				thing, found[thing]))
		}
	}
	for thing, values := range p.things {
		may := allowed(values, position)
		if !slices.Contains(may, found[thing]) {
			problems = append(problems, fmt.Sprintf("%s: is %.300q, should be one of %.600q",
				thing, found[thing], may))
		}
	}
	slices.Sort(problems)
	return problems
}

// allowed returns the last value that was promised before a position, and those that were on their
// way.
func allowed(values []promise, position int) []string {
	may := []string{""}
	for _, v := range values {
		switch {
		case v.done < position:
			may = []string{v.value}
		case v.begun < position:
			may = append(may, v.value)
		}
	}
	return may
}

// reached returns how many promises there were before a position.
func (p *promises) reached(position int) (n int) {
	for _, values := range p.things {
		for _, v := range values {
			if v.done >= 0 && v.done < position {
				n++
			}
		}
	}
	return n
}
