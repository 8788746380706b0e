// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"
)

// A countdown is a line at the bottom of a terminal that shows that something goes on, and how long
// it may take. Without a terminal it writes nothing. It uses no escape sequences and fits into one
// line, because a line that has wrapped cannot be wiped that way.
type countdown struct {
	w     io.Writer
	live  bool
	total time.Duration

	mu   sync.Mutex
	halt chan struct{} // closed to end the line; nil while there is none
	gone chan struct{} // closed when the line is wiped
}

func newCountdown(w io.Writer, total time.Duration) *countdown {
	return &countdown{w: w, live: terminalWidth(w) > 0, total: total}
}

const (
	frame       = 250 * time.Millisecond
	interrupted = "^C" // a terminal writes this behind the line when somebody presses Ctrl-C
)

func (c *countdown) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.live || c.halt != nil {
		return
	}
	c.halt, c.gone = make(chan struct{}), make(chan struct{})
	go c.draw(c.halt, c.gone, time.Now().Add(c.total))
}

// stop wipes the line, and returns after that.
func (c *countdown) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.halt == nil {
		return
	}
	close(c.halt)
	<-c.gone
	c.halt = nil
}

func (c *countdown) draw(halt, gone chan struct{}, until time.Time) {
	defer close(gone)
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for n := 0; ; n++ {
		room := c.room()
		line := remaining(n, time.Until(until))
		line = line[:min(len(line), max(0, room-len(interrupted)))]
		io.WriteString(c.w, "\r"+line)
		select {
		case <-halt:
			io.WriteString(c.w, "\r"+strings.Repeat(" ", min(len(line+interrupted), room))+"\r")
			return
		case <-tick.C:
		}
	}
}

// room returns how many columns fit into a line of the terminal, which may be resized at any time.
func (c *countdown) room() int {
	if width := terminalWidth(c.w); width > 0 {
		return width - 1
	}
	return math.MaxInt
}

// remaining returns the nth frame of the line.
func remaining(n int, left time.Duration) string {
	left = max(0, left).Truncate(time.Second)
	return fmt.Sprintf("%c waiting for the browser, %d:%02d left ", `-\|/`[n%4],
		int(left.Minutes()), int(left.Seconds())%60)
}
